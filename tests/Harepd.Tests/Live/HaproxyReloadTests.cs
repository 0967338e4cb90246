using System.Globalization;
using System.Net.Sockets;
using Harepd.Core.Model;
using Harepd.Guard;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>HAProxy is reloaded while the primary changes. What was measured is printed, never judged.</summary>
[Collection(LiveTests.Name)]
public sealed class HaproxyReloadTests(LiveCluster live, ITestOutputHelper output)
{
    // Below HAProxy's own hard-stop-after, which would end old workers and their sessions with them.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_haproxy_reloaded_before_and_in_the_middle_of_a_failover_serves_the_new_primary_alone_and_keeps_no_old_session()
    {
        var (cluster, old, next) = await live.ReadyAsync();
        await cluster.WaitForGuardAsync(old);
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        using var session = await WireSession.LoginAsync(cluster.Haproxy.Address, cluster.Haproxy.WritePort, "app", "app", Patience);
        await cluster.Haproxy.ReloadAsync();
        await cluster.WaitForServingAsync(old);

        var frozen = await LoseHostAsync(cluster, old, session);
        try
        {
            await next.Server.ExecuteAsync("SELECT pg_promote(false)");
            await Wait.UntilAsync(
                async () => await DaemonView.AskAsync(LabCluster.Member(next)) is { HeldTerm: > 0 },
                $"{next.Name} to hold the lease",
                Patience,
                TimeSpan.FromMilliseconds(1),
                cluster.Describe);
            var asked = LabClock.Now;
            await cluster.Haproxy.ReloadAsync();
            await cluster.WaitForServingAsync(next);
            var serves = LabClock.Now;
            await AssertEndsAsync(session);
            var ended = LabClock.Now;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"from the reload: right servers after {(serves - asked).TotalMilliseconds:F0} ms, "
                + $"the old worker's session seen ended after {(ended - asked).TotalMilliseconds:F0} ms"));
            await writers.WaitForWriteAsync(next);
        }
        finally
        {
            Thaw(cluster, old, frozen);
        }

        await cluster.Repmgr.CorrectTablesAsync(next);
        await RepmgrCluster.RejoinAsync(old, next);
        await writers.StopAsync();
        var lost = Analyser.Lost(writers.All, await next.Server.WrittenIdsAsync());
        Assert.Empty(Analyser.LostThoughDelivered(writers.All, lost, await PromotionWatch.TimelineEndsAsync(next.Server)));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(await watch.StopAsync());
    }

    /// <summary>
    /// As on a host that is gone, nobody there ends a session any more: daemon and guard say nothing, and the session's backend, which outlives its
    /// postmaster because it is frozen, closes nothing. Returns the guard and the backend.
    /// </summary>
    private static async Task<IReadOnlyList<ProcessIdentity>> LoseHostAsync(LabCluster cluster, RepmgrNode node, WireSession session)
    {
        var backend = int.Parse((await session.QueryAsync("SELECT pg_backend_pid()", Patience))[0], CultureInfo.InvariantCulture);
        using var page = GuardPage.Open(cluster.RunFolderOf(node));
        var frozen = new[] { page.GuardPid, backend }.Select(pid => ProcessIdentity.Of(pid) ?? throw new LabException($"no process {pid}")).ToList();
        Assert.All(frozen, process => Assert.True(process.Send(Signal.Stop)));
        cluster.DaemonOf(node).Freeze();
        node.Server.KillPostmaster();
        return frozen;
    }

    private static void Thaw(LabCluster cluster, RepmgrNode node, IReadOnlyList<ProcessIdentity> frozen)
    {
        foreach (var process in frozen)
        {
            process.Send(Signal.Continue);
        }

        cluster.DaemonOf(node).Thaw();
    }

    // A frozen backend answers nothing: whatever comes but the limit is the end of the connection.
    private static async Task AssertEndsAsync(WireSession session)
    {
        var failure = await Record.ExceptionAsync(() => session.QueryAsync("SELECT 1", Patience));
        Assert.True(failure is WireException or SocketException, $"the old worker keeps the session: {failure?.Message}");
    }
}
