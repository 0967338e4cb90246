using System.Globalization;
using Harepd.Control;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>The primary's daemon is killed in the middle of a planned move or a restart and started again: the cluster serves with both servers, whoever is the primary then.</summary>
[Collection(LiveTests.Name)]
public sealed class MoveInterruptedTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_daemon_that_is_killed_in_the_middle_of_a_move_leaves_nothing_stuck()
    {
        // A server that was started again before the daemon is there, beside one that took over meanwhile, is an old primary like any other. Where the server is, a
        // daemon that finds it stopped knows from the one before.
        var options = new LabClusterOptions
        {
            Harepd = new()
            {
                Keys = new Dictionary<string, string?>
                {
                    ["failover.manager"] = "harepd",
                    ["failover.rejoin"] = "auto",
                    ["failover.minInterval"] = "1s",
                    ["postgres.dataDirectory"] = null,
                },
            },
        };
        await using var cluster = await LabCluster.StartAsync(options);
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        (string Verb, string Step, bool IsQuick)[] ends =
        [
            ("restart", "Stop", true), ("restart", "Restart", false), ("switchover", "Stop", false), ("switchover", "HandOver", true), ("switchover", "TakeOver", false), ("switchover", "Rejoin", true),
        ];
        foreach (var (verb, step, isQuick) in ends)
        {
            primary = await InterruptAsync(cluster, primary, verb, step, isQuick);
        }

        Assert.Contains(cluster.Daemons, daemon => daemon.Log.Contains("MoveResumed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restart_that_was_ordered_for_later_outlasts_the_daemon()
    {
        var options = new LabClusterOptions { Harepd = new() { Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd" } } };
        await using var cluster = await LabCluster.StartAsync(options);
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        var daemon = cluster.DaemonOf(primary);
        var ordered = await daemon.RunAsync("restart", "--at", DateTimeOffset.UtcNow.AddSeconds(12).ToString("O", CultureInfo.InvariantCulture));
        Assert.Equal(0, ordered.ExitCode);
        await daemon.KillAsync();
        daemon.Start();
        await Wait.UntilAsync(() => daemon.Log.Contains("MoveEnded: Reopen -> Restarted", StringComparison.Ordinal), "the restart to be made", TimeSpan.FromSeconds(60), detail: cluster.Describe);
        await cluster.WaitForServingAsync(primary);
    }

    private async Task<RepmgrNode> InterruptAsync(LabCluster cluster, RepmgrNode old, string verb, string step, bool isQuick)
    {
        var other = cluster.OtherThan(old);
        await RepmgrCluster.WaitForStreamingAsync(other.Server);
        await RepmgrCluster.WaitForCatchUpAsync(other.Server, old.Server);
        await Wait.UntilAsync(
            async () => (await cluster.DaemonOf(old).RunAsync(verb, "--dry-run")).ExitCode == 0,
            $"{verb} on {old.Name} to be possible",
            detail: cluster.Describe);
        await using var writers = await Writers.StartAsync(cluster);
        var last = await Orders.AskAsync(
            cluster, old, new ControlRequest(verb), answer => answer.Event == "begin" && answer.Subject == step ? cluster.DaemonOf(old).KillAsync() : Task.CompletedTask);

        // The last step may be over before the signal is: then a daemon is killed that has nothing left to do.
        Assert.True(last is { Event: "error" } or { Event: "ended", Subject: "Moved" or "Restarted" }, $"killed in {verb} at {step}: {last}\n{cluster.Describe()}");
        if (!isQuick)
        {
            await Task.Delay(TimeSpan.FromSeconds(6));
        }

        cluster.DaemonOf(old).Start();
        var primary = old;
        await Wait.UntilAsync(
            async () =>
            {
                primary = await old.Server.TryScalarAsync<bool>("SELECT pg_is_in_recovery()") ? other : old;
                var standby = cluster.OtherThan(primary);
                return GateOnDisk.Of(primary.Server) == Gate.ReadWrite && GateOnDisk.Of(standby.Server) != Gate.ReadWrite
                    && await standby.Server.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1;
            },
            $"both servers to be back after {verb} was interrupted at {step}",
            TimeSpan.FromSeconds(60),
            detail: cluster.Describe);
        output.WriteLine($"{verb} on {old.Name} interrupted at {step}: {primary.Name} is the primary");
        await cluster.WaitForServingAsync(primary);
        await writers.WaitForWriteAsync(primary, afterSeconds: 1);
        await writers.StopAsync();
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(Analyser.Lost(writers.All, await primary.Server.WrittenIdsAsync()));
        return primary;
    }
}
