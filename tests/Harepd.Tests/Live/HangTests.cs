using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>"Hangs with the rule unchanged": a peer that is silent, stopped, unreachable or a stranger never holds up a decision about the others.</summary>
[Collection(LiveTests.Name)]
public sealed class HangTests(LiveCluster live)
{
    [Theory]
    [InlineData(BadPeerKind.Silent)]
    [InlineData(BadPeerKind.BlackHole)]
    [InlineData(BadPeerKind.HttpOne)]
    [InlineData(BadPeerKind.Tls)]
    [InlineData(BadPeerKind.Garbage)]
    [InlineData(BadPeerKind.Closing)]
    public async Task A_primary_is_opened_and_cut_although_its_neighbour_is(BadPeerKind kind)
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await cluster.DaemonOf(standby).StopAsync();
        await cluster.DaemonOf(primary).StopAsync();
        await using var peer = BadPeer.Start(standby.Server.Address, LabCluster.GrpcPort, kind);

        cluster.DaemonOf(primary).Start();
        await cluster.WaitForServingAsync(primary);
        await primary.Server.StopAsync();
        await WaitForNoWriterAsync(cluster);
    }

    [Fact]
    public async Task A_primary_is_opened_and_cut_although_its_neighbours_daemon_is_frozen()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await cluster.DaemonOf(primary).StopAsync();
        cluster.DaemonOf(standby).Freeze();

        cluster.DaemonOf(primary).Start();
        await cluster.WaitForServingAsync(primary);
        await primary.Server.StopAsync();
        await WaitForNoWriterAsync(cluster);
    }

    [Fact]
    public async Task A_frozen_daemon_of_the_old_primary_does_not_keep_the_new_one_closed()
    {
        var (cluster, old, next) = await live.ReadyAsync();
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        cluster.DaemonOf(old).Freeze();

        await old.Server.StopAsync();
        await RepmgrCluster.PromoteAsync(next);
        await writers.WaitForWriteAsync(next);
        cluster.DaemonOf(old).Thaw();
        // A thawed holder must not take the lease back, nor cut the one that has it now.
        await writers.WaitForWriteAsync(next, afterSeconds: 4);
        await writers.StopAsync();

        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(await watch.StopAsync());
    }

    [Fact]
    public async Task A_postmaster_that_is_stopped_is_taken_for_hung_and_cut()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        primary.Server.FreezePostmaster();
        await WaitForNoWriterAsync(cluster);
        primary.Server.Thaw();
        await cluster.WaitForServingAsync(primary);
    }

    private static Task WaitForNoWriterAsync(LabCluster cluster) => Wait.UntilAsync(
        async () => (await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend)).Count == 0,
        "HAProxy to have no writable server",
        detail: cluster.Describe);
}
