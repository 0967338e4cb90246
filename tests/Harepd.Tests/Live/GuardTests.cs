using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Guard;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Harepd.Postgres.Linux;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>The guard (R12) on real servers: the gate is shut by somebody outside the daemon's process, whatever became of that.</summary>
[Collection(LiveTests.Name)]
public sealed class GuardTests(LiveCluster live)
{
    [Fact]
    public async Task A_daemon_killed_for_good_leaves_a_gate_that_the_guard_shuts()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await WaitForGuardAsync(cluster, primary);
        await cluster.DaemonOf(primary).KillAsync();

        await WaitUntilTheGuardHasShutAsync(cluster, primary);
        cluster.DaemonOf(primary).Start();
        await StartIfTheFenceStoppedItAsync(primary);
        await cluster.WaitForServingAsync(primary);
    }

    /// <summary>The guard of a daemon that was stopped cleanly goes; the next run must not take its last beat for a guard that looks.</summary>
    [Fact]
    public async Task A_daemon_started_right_after_a_stop_does_not_believe_in_a_guard_that_has_gone()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await WaitForGuardAsync(cluster, primary);
        using var page = PageOf(cluster, primary);
        for (var round = 0; round < 3; round++)
        {
            await cluster.DaemonOf(primary).StopAsync();
            cluster.DaemonOf(primary).Start();
            await Wait.UntilAsync(
                () =>
                {
                    // Zombies do not look either.
                    var isBelieved = BootClock.Now - page.GuardBeat < GuardPage.BeatLimit;
                    Assert.True(!isBelieved || ProcessFacts.Of(page.GuardPid) is { IsGone: false }, $"the guard {page.GuardPid} is believed to look, and is gone");
                    return page.TryRead(out var order) && order.IsArmed && isBelieved;
                },
                "a guard behind the new lease",
                detail: cluster.Describe);
        }
    }

    [Fact]
    public async Task A_daemon_that_is_stopped_is_fenced_by_the_guard_and_thawed_serves_without_cutting_a_session()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await WaitForGuardAsync(cluster, primary);
        cluster.DaemonOf(primary).Freeze();
        await WaitUntilTheGuardHasShutAsync(cluster, primary);

        cluster.DaemonOf(primary).Thaw();
        await StartIfTheFenceStoppedItAsync(primary);
        await cluster.WaitForServingAsync(primary);

        // What fences late, after the lease was won again, or goes on cutting (the guard did, at each look), ends sessions here.
        await using var writers = await Writers.StartAsync(cluster);
        await writers.WaitForWriteAsync(primary, afterSeconds: 4);
        await writers.StopAsync();
        Assert.DoesNotContain(writers.Main.Attempts, attempt => !attempt.IsAcknowledged);
    }

    [Fact]
    public async Task A_daemon_that_requires_its_guard_shuts_while_that_does_not_look()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await cluster.DaemonOf(primary).StopAsync();
        var keys = cluster.DataNodeKeys(primary, standby);
        keys["fence.requireGuard"] = "true";
        var strict = cluster.ExtraDaemon(primary, keys);
        ProcessIdentity? guard = null;
        try
        {
            strict.Start();
            await cluster.WaitForServingAsync(primary);
            await WaitForGuardAsync(cluster, primary);
            using (var page = PageOf(cluster, primary))
            {
                guard = ProcessIdentity.Of(page.GuardPid);
            }

            guard!.Value.Send(Signal.Stop);
            await Wait.UntilAsync(() => GateOnDisk.Of(primary.Server) == Gate.Fenced, "the gate to be shut without the guard", detail: cluster.Describe);

            guard.Value.Send(Signal.Continue);
            await cluster.WaitForServingAsync(primary);
        }
        finally
        {
            guard?.Send(Signal.Continue);
            await strict.StopAsync();
            await strict.KillAsync();
        }
    }

    private static async Task WaitForGuardAsync(LabCluster cluster, RepmgrNode node)
    {
        using var page = PageOf(cluster, node);
        await Wait.UntilAsync(
            () => page.TryRead(out var order) && order.IsArmed && BootClock.Now - page.GuardBeat < TimeSpan.FromSeconds(1),
            $"the guard of {node.Name} to look at an armed page",
            detail: cluster.Describe);
    }

    private static async Task WaitUntilTheGuardHasShutAsync(LabCluster cluster, RepmgrNode node)
    {
        using var page = PageOf(cluster, node);
        Assert.True(page.TryRead(out var order));
        await Wait.UntilAsync(
            () => page.FencedTerm == order.Term,
            $"the guard of {node.Name} to confirm its fence",
            detail: cluster.Describe);

        Assert.Equal(Gate.Fenced, GateOnDisk.Of(node.Server));
        Assert.NotEqual(CheckAnswer.Up, await CheckProbe.AskAsync(node.Server, cluster.Haproxy));
        Assert.DoesNotContain(node.Name, await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend));
    }

    /// <summary>A fence that is not confirmed before the lease ends stops the server, as it must; a busy machine gets there.</summary>
    private static async Task StartIfTheFenceStoppedItAsync(RepmgrNode node)
    {
        if (!node.Server.IsRunning)
        {
            await node.Server.WaitForEndAsync();
            await node.Server.StartAsync();
        }
    }

    private static GuardPage PageOf(LabCluster cluster, RepmgrNode node) => GuardPage.Open(cluster.RunFolderOf(node));
}
