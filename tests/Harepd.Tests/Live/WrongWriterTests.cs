using Harepd.Core.Model;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>"Two writers or the wrong one": what the daemon of 2021 did wrong, each on real servers.</summary>
[Collection(LiveTests.Name)]
public sealed class WrongWriterTests(LiveCluster live)
{
    [Fact]
    public async Task A_witness_with_stale_tables_does_not_bring_the_old_primary_back()
    {
        var (cluster, old, next) = await live.ReadyAsync();
        var witness = cluster.Repmgr.Witness.Server;
        await using var writers = await Writers.StartAsync(cluster);
        // The witness goes on believing that the old primary is the primary: nobody brings its copy of the tables up to date.
        await witness.ExecuteAsync($"UPDATE repmgr.nodes SET type = 'primary', active = true WHERE node_name = '{old.Name}'", "repmgr", "repmgr");
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        await old.Server.StopAsync();
        await RepmgrCluster.PromoteAsync(next);
        await writers.WaitForWriteAsync(next);
        await old.Server.StartAsync();

        await writers.WaitForWriteAsync(next, afterSeconds: 5);
        await writers.StopAsync();
        Assert.Equal([next.Name], await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend));
        Assert.Equal(CheckAnswer.Refused, await CheckProbe.AskAsync(old.Server, cluster.Haproxy));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
    }

    [Fact]
    public async Task Two_active_primaries_in_the_tables_are_not_both_allowed()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);
        await primary.Server.ExecuteAsync("UPDATE repmgr.nodes SET type = 'primary', active = true WHERE type = 'standby'", "repmgr", "repmgr");

        await writers.WaitForWriteAsync(primary, afterSeconds: 5);
        var standbyAnswer = await CheckProbe.AskAsync(standby.Server, cluster.Haproxy);
        await primary.Server.ExecuteAsync($"UPDATE repmgr.nodes SET type = 'standby' WHERE node_name = '{standby.Name}'", "repmgr", "repmgr");

        Assert.Equal(CheckAnswer.Refused, standbyAnswer);
        Assert.Empty(await watch.StopAsync());
    }

    [Fact]
    public async Task A_standby_promoted_beside_a_living_primary_is_never_opened()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);

        await standby.Server.ExecuteAsync("SELECT pg_promote(false)");
        await Wait.UntilAsync(async () => await standby.Server.IsInRecoveryAsync() == false, $"the promotion of {standby.Name}");
        await writers.WaitForWriteAsync(primary, afterSeconds: 5);
        await writers.StopAsync();

        // Through HAProxy alone: no daemon can act before the server has promoted itself, so a client that goes past HAProxy has a moment.
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.Main.Attempts));
        Assert.Equal(CheckAnswer.Refused, await CheckProbe.AskAsync(standby.Server, cluster.Haproxy));
        Assert.Empty(await watch.StopAsync());
    }

    [Fact]
    public async Task No_active_primary_in_the_tables_does_not_leave_a_stopped_primary_open()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await primary.Server.ExecuteAsync("UPDATE repmgr.nodes SET active = false WHERE type = 'primary'", "repmgr", "repmgr");
        await primary.Server.StopAsync();

        await Wait.UntilAsync(
            async () => (await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend)).Count == 0,
            "HAProxy to have no writable server",
            detail: cluster.Describe);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(primary.Server));
    }

    [Fact]
    public async Task A_clone_of_the_primary_is_not_opened_by_the_block_that_it_copied()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);
        await standby.Server.StopAsync();

        await cluster.Repmgr.MakeStandbyAsync(standby, primary);
        await Wait.UntilAsync(
            async () => await CheckProbe.AskAsync(standby.Server, cluster.Haproxy) == CheckAnswer.Refused,
            "the clone to refuse HAProxy's check for writers",
            detail: cluster.Describe);
        await writers.StopAsync();

        Assert.Equal([primary.Name], await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(await watch.StopAsync());
    }

    [Fact]
    public async Task A_standby_that_rejoins_costs_the_healthy_primary_not_one_write()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await using var writers = await Writers.StartAsync(cluster);
        await standby.Server.StopAsync();
        await RepmgrCluster.RejoinAsync(standby, primary);
        await writers.WaitForWriteAsync(primary, afterSeconds: 3);
        await writers.StopAsync();

        Assert.DoesNotContain(writers.Main.Attempts, attempt => !attempt.IsAcknowledged);
    }

    [Fact]
    public async Task An_inactive_witness_row_costs_nobody_anything()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await using var writers = await Writers.StartAsync(cluster);
        await primary.Server.ExecuteAsync("UPDATE repmgr.nodes SET active = false WHERE type = 'witness'", "repmgr", "repmgr");
        await writers.WaitForWriteAsync(primary, afterSeconds: 4);
        await primary.Server.ExecuteAsync("UPDATE repmgr.nodes SET active = true WHERE type = 'witness'", "repmgr", "repmgr");
        await writers.StopAsync();

        Assert.DoesNotContain(writers.Main.Attempts, attempt => !attempt.IsAcknowledged);
    }

    [Fact]
    public async Task A_node_that_lists_itself_as_a_neighbour_does_not_start_and_touches_nothing()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        var keys = cluster.DataNodeKeys(standby, primary);
        keys["gRPC.neighbours"] = $"[\"{standby.Server.Address}:10000\", \"{primary.Server.Address}:10000\"]";
        var before = WithoutTerm(await File.ReadAllTextAsync(standby.Server.HbaFile));
        var daemon = cluster.ExtraDaemon(standby, keys);
        daemon.Start();

        Assert.Equal(78, await daemon.WaitForExitAsync());
        Assert.Contains("neighbours", daemon.Log, StringComparison.Ordinal);
        Assert.Equal(before, WithoutTerm(await File.ReadAllTextAsync(standby.Server.HbaFile)));
    }

    /// <summary>The node's own daemon goes on beside it, and notes a newer term now and then.</summary>
    private static string WithoutTerm(string hba) => System.Text.RegularExpressions.Regex.Replace(hba, @"term=\d+", "term=");
}
