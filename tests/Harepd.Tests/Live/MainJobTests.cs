using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>The main job on real servers: clients are steered to the true primary, whoever that becomes, and never to two.</summary>
[Collection(LiveTests.Name)]
public sealed class MainJobTests(LiveCluster live)
{
    [Fact]
    public async Task Writes_follow_a_planned_promotion_and_nothing_is_lost()
    {
        var (cluster, old, next) = await live.ReadyAsync();
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);

        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        await old.Server.StopAsync();
        await RepmgrCluster.PromoteAsync(next);
        await writers.WaitForWriteAsync(next);
        await RepmgrCluster.RejoinAsync(old, next);
        await writers.StopAsync();

        Assert.Empty(Analyser.Lost(writers.All, await next.Server.WrittenIdsAsync()));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(await watch.StopAsync());
    }

    [Fact]
    public async Task A_killed_postmaster_is_replaced_by_repmgrd_and_what_was_replicated_is_there()
    {
        var (cluster, old, next) = await live.ReadyAsync();
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);
        await next.StartDaemonAsync();

        old.Server.KillPostmaster();
        await writers.WaitForWriteAsync(next);
        await RepmgrCluster.RejoinAsync(old, next);
        await writers.StopAsync();

        var lost = Analyser.Lost(writers.All, await next.Server.WrittenIdsAsync());
        Assert.Empty(Analyser.LostThoughDelivered(writers.All, lost, await PromotionWatch.TimelineEndsAsync(next.Server)));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(await watch.StopAsync());
    }

    [Fact]
    public async Task A_dead_primary_is_cut_at_haproxy_although_nobody_promotes()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        primary.Server.KillPostmaster();
        await Wait.UntilAsync(
            async () => (await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend)).Count == 0,
            "HAProxy to have no writable server",
            detail: cluster.Describe);
    }

    [Fact]
    public async Task An_old_primary_that_comes_back_as_a_primary_is_never_opened()
    {
        var (cluster, old, next) = await live.ReadyAsync();
        await using var writers = await Writers.StartAsync(cluster);
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        await old.Server.StopAsync();
        await RepmgrCluster.PromoteAsync(next);
        await writers.WaitForWriteAsync(next);
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);

        await old.Server.StartAsync();
        await Wait.UntilAsync(
            async () => await CheckProbe.AskAsync(old.Server, cluster.Haproxy) == CheckAnswer.Refused,
            "the returned primary to refuse HAProxy's check",
            detail: cluster.Describe);
        // Two more full inquiries of the daemons (watchDog is 2 s): none may change its mind.
        await writers.WaitForWriteAsync(next, afterSeconds: 4);
        await writers.StopAsync();

        Assert.Equal(CheckAnswer.Refused, await CheckProbe.AskAsync(old.Server, cluster.Haproxy));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(await watch.StopAsync());
    }
}
