using System.Net;
using System.Text.RegularExpressions;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>What an operator orders of one node alone, on a real cluster: maintenance, a fence that lasts, stop and start.</summary>
[Collection(LiveTests.Name)]
public sealed class LocalOrderTests
{
    private static readonly LabClusterOptions Options = new()
    {
        Harepd = new() { Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.rejoin"] = "auto", ["failover.stopGrace"] = "2s", ["failover.startCrashed"] = "false" } },
    };

    [Fact]
    public async Task A_standby_in_maintenance_has_no_readers_and_takes_over_nothing_until_its_end()
    {
        await using var cluster = await LabCluster.StartAsync(Options);
        var (primary, standby) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await ReadyAsync(cluster, primary);
        await ReadersOnAsync(cluster, standby);

        Assert.Equal(75, (await cluster.DaemonOf(primary).RunAsync("maintenance", "--for", "10m")).ExitCode);
        Assert.Equal(0, (await cluster.DaemonOf(standby).RunAsync("maintenance", "--for", "10m", "--dry-run")).ExitCode);
        await ReadersOnAsync(cluster, standby);
        Assert.Equal(0, (await cluster.DaemonOf(standby).RunAsync("maintenance", "--for", "10m")).ExitCode);
        await ReadersOnAsync(cluster, primary);
        Assert.Equal(Gate.ReadOnly, GateOnDisk.Of(standby.Server));
        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(new Uri($"http://{standby.Server.Address}:{LabCluster.HttpPort}/replica"))).StatusCode);

        // It outlasts the daemon, and the primary's daemon tells of it.
        Assert.True(await cluster.DaemonOf(standby).StopAsync());
        cluster.DaemonOf(standby).Start();
        await Wait.UntilAsync(
            async () => Regex.IsMatch((await cluster.DaemonOf(primary).RunAsync("status", "--json")).Output, "\"maintained_for_ms\": [1-9]"),
            "the primary's daemon to tell of the maintenance",
            detail: cluster.Describe);
        var refused = await cluster.DaemonOf(primary).RunAsync("switchover", "--to", standby.Name);
        Assert.Equal(75, refused.ExitCode);
        Assert.Contains("is in maintenance", refused.Output, StringComparison.Ordinal);

        await cluster.WaitForKnownAsync(standby, primary);
        primary.Server.KillPostmaster();
        await Wait.UntilAsync(
            async () => (await cluster.DaemonOf(standby).RunAsync("status", "--json")).Output.Contains("harepd maintenance --off ends it", StringComparison.Ordinal),
            "the standby to say why it waits",
            detail: cluster.Describe);
        Assert.Equal(75, (await cluster.DaemonOf(standby).RunAsync("failover", "--accept-loss")).ExitCode);
        Assert.True(await standby.Server.IsInRecoveryAsync());
        Assert.Equal(0, (await cluster.DaemonOf(standby).RunAsync("maintenance", "--off")).ExitCode);
        await cluster.WaitForServingAsync(standby);
    }

    [Fact]
    public async Task A_primary_that_is_fenced_by_an_order_stays_shut_and_a_standby_takes_over()
    {
        await using var cluster = await LabCluster.StartAsync(Options);
        var (primary, standby) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await ReadyAsync(cluster, primary);
        Assert.Equal(0, (await cluster.DaemonOf(standby).RunAsync("fence", "--for", "10m")).ExitCode);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(standby.Server));
        await ReadersOnAsync(cluster, primary);
        var alone = await cluster.DaemonOf(primary).RunAsync("fence", "--for", "10m");
        Assert.Equal(75, alone.ExitCode);
        Assert.Contains("--accept-outage", alone.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await cluster.DaemonOf(standby).RunAsync("unfence")).ExitCode);
        await ReadersOnAsync(cluster, standby);

        await using var writers = await Writers.StartAsync(cluster);
        await RepmgrCluster.WaitForCatchUpAsync(standby.Server, primary.Server);
        Assert.Equal(0, (await cluster.DaemonOf(primary).RunAsync("fence", "--for", "10m")).ExitCode);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(primary.Server));
        await writers.WaitForWriteAsync(standby);
        await cluster.DaemonOf(primary).KillAsync();
        cluster.DaemonOf(primary).Start();
        await writers.WaitForWriteAsync(standby, afterSeconds: 4);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(primary.Server));
        Assert.False(await primary.Server.IsInRecoveryAsync());
        Assert.Equal(0, (await cluster.DaemonOf(primary).RunAsync("unfence")).ExitCode);
        await Wait.UntilAsync(
            async () => await primary.Server.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1,
            $"{primary.Name} to be a standby",
            TimeSpan.FromSeconds(60),
            detail: cluster.Describe);
        await writers.StopAsync();
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(Analyser.Lost(writers.All, await standby.Server.WrittenIdsAsync()));
    }

    [Fact]
    public async Task Servers_that_are_stopped_by_an_order_stay_down_until_they_are_started()
    {
        await using var cluster = await LabCluster.StartAsync(Options);
        var (primary, standby) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await ReadyAsync(cluster, primary);
        await StopStandbyAsync(cluster, primary, standby);
        await ReadyAsync(cluster, primary);

        Assert.Equal(75, (await cluster.DaemonOf(primary).RunAsync("stop")).ExitCode);
        await using var writers = await Writers.StartAsync(cluster);
        var stopped = await cluster.DaemonOf(primary).RunAsync("stop", "--accept-outage", "--for", "10m");
        Assert.True(stopped.ExitCode == 0, $"{stopped.Output}\n{cluster.Describe()}");
        Assert.False(primary.Server.IsRunning);
        await cluster.DaemonOf(primary).KillAsync();
        cluster.DaemonOf(primary).Start();
        await Wait.UntilAsync(() => cluster.DaemonOf(primary).Log.Contains("MoveResumed", StringComparison.Ordinal), "the stop to go on", detail: cluster.Describe);
        await Task.Delay(TimeSpan.FromSeconds(6));
        Assert.True(await standby.Server.IsInRecoveryAsync());
        Assert.Equal(75, (await cluster.DaemonOf(primary).RunAsync("restart")).ExitCode);
        var started = await cluster.DaemonOf(primary).RunAsync("start");
        Assert.True(started.ExitCode == 0, $"{started.Output}\n{cluster.Describe()}");
        await writers.WaitForWriteAsync(primary, afterSeconds: 1);

        // At the end of its time the lease is given up, and the old primary comes back as a standby when it is started.
        await ReadyAsync(cluster, primary);
        Assert.Equal(0, (await cluster.DaemonOf(primary).RunAsync("stop", "--accept-outage", "--for", "3s")).ExitCode);
        await writers.WaitForWriteAsync(standby);
        started = await cluster.DaemonOf(primary).RunAsync("start");
        Assert.True(started.ExitCode == 0, $"{started.Output}\n{cluster.Describe()}");
        await RepmgrCluster.WaitForStreamingAsync(primary.Server);
        await writers.StopAsync();
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(Analyser.Lost(writers.All, await standby.Server.WrittenIdsAsync()));
    }

    private static async Task StopStandbyAsync(LabCluster cluster, RepmgrNode primary, RepmgrNode standby)
    {
        Assert.Equal(75, (await cluster.DaemonOf(standby).RunAsync("start")).ExitCode);
        Assert.Equal(0, (await cluster.DaemonOf(standby).RunAsync("stop", "--dry-run")).ExitCode);
        var stopped = await cluster.DaemonOf(standby).RunAsync("stop");
        Assert.True(stopped.ExitCode == 0, $"{stopped.Output}\n{cluster.Describe()}");
        Assert.False(standby.Server.IsRunning);
        Assert.True(await cluster.DaemonOf(standby).StopAsync());
        cluster.DaemonOf(standby).Start();
        await Wait.UntilAsync(
            async () => (await cluster.DaemonOf(primary).RunAsync("status", "--json")).Output.Contains("\"is_stopped_by_order\": true", StringComparison.Ordinal),
            "the primary's daemon to tell of the stop",
            detail: cluster.Describe);
        await Wait.UntilAsync(async () => (await cluster.DaemonOf(standby).RunAsync("start", "--dry-run")).ExitCode == 0, "a start to be possible", detail: cluster.Describe);
        var started = await cluster.DaemonOf(standby).RunAsync("start");
        Assert.True(started.ExitCode == 0, $"{started.Output}\n{cluster.Describe()}");
        await ReadersOnAsync(cluster, standby);
    }

    private static async Task ReadyAsync(LabCluster cluster, RepmgrNode primary)
    {
        await cluster.WaitForServingAsync(primary);
        await cluster.WaitForMoveAsync(primary);
    }

    private static Task ReadersOnAsync(LabCluster cluster, RepmgrNode node) => Wait.UntilAsync(
        async () => await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.ReadBackend) is [var only] && only == node.Name,
        $"readers on {node.Name}",
        detail: cluster.Describe);
}
