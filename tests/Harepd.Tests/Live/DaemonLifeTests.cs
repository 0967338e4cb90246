using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>Daemons come and go, HAProxy reloads: clients notice as little as possible, and a gate never stays open behind a daemon that is gone.</summary>
[Collection(LiveTests.Name)]
public sealed class DaemonLifeTests(LiveCluster live)
{
    [Fact]
    public async Task A_daemon_told_to_stop_shuts_its_gate_and_cuts_its_server_first()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        Assert.True(await cluster.DaemonOf(primary).StopAsync(), "it did not end by itself");

        Assert.Empty(await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend));
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(primary.Server));
        Assert.Equal(CheckAnswer.Refused, await CheckProbe.AskAsync(primary.Server, cluster.Haproxy));
        cluster.DaemonOf(primary).Start();
        await cluster.WaitForServingAsync(primary);
    }

    [Fact]
    public async Task A_killed_daemon_that_is_started_at_once_costs_no_write()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await using var writers = await Writers.StartAsync(cluster);
        await cluster.DaemonOf(primary).KillAsync();
        cluster.DaemonOf(primary).Start();
        await writers.WaitForWriteAsync(primary, afterSeconds: 6);
        await writers.StopAsync();

        Assert.DoesNotContain(writers.Main.Attempts, attempt => !attempt.IsAcknowledged);
    }

    [Fact]
    public async Task The_standbys_daemon_may_be_killed_and_started_without_costing_a_write()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await using var writers = await Writers.StartAsync(cluster);
        await cluster.DaemonOf(standby).KillAsync();
        cluster.DaemonOf(standby).Start();
        await writers.WaitForWriteAsync(primary, afterSeconds: 5);
        await writers.StopAsync();

        Assert.DoesNotContain(writers.Main.Attempts, attempt => !attempt.IsAcknowledged);
    }

    [Fact]
    public async Task The_loss_of_the_witness_changes_nothing_for_clients()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await using var writers = await Writers.StartAsync(cluster);
        await cluster.WitnessDaemon.KillAsync();
        await writers.WaitForWriteAsync(primary, afterSeconds: 5);
        await writers.StopAsync();

        Assert.DoesNotContain(writers.Main.Attempts, attempt => !attempt.IsAcknowledged);
    }

    [Fact]
    public async Task A_witness_whose_disk_was_lost_votes_when_it_has_heard_everybody()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        await cluster.DaemonOf(standby).KillAsync();
        await cluster.WitnessDaemon.KillAsync();
        Directory.Delete(cluster.StateFolderOf(cluster.Repmgr.Witness), recursive: true);
        Directory.Delete(cluster.RunFolderOf(cluster.Repmgr.Witness), recursive: true);
        await Wait.UntilAsync(() => GateOnDisk.Of(primary.Server) == Gate.Fenced, "the primary to lose its majority", detail: cluster.Describe);

        cluster.WitnessDaemon.Start();
        await Wait.UntilAsync(
            () => cluster.WitnessDaemon.Log.Contains("votes for nobody before it has heard from", StringComparison.Ordinal), "the witness to say whom it misses", detail: cluster.Describe);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(primary.Server));
        cluster.DaemonOf(standby).Start();

        await cluster.WaitForServingAsync(primary);
    }

    [Fact]
    public async Task A_primary_that_hears_no_other_voter_shuts_itself()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        cluster.DaemonOf(standby).Freeze();
        cluster.WitnessDaemon.Freeze();
        await WaitUntilShutAsync(cluster, primary);

        cluster.WitnessDaemon.Thaw();
        await cluster.WaitForServingAsync(primary);
    }

    [Fact]
    public async Task A_second_guard_of_a_node_ends_at_once_and_says_so()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await cluster.WaitForGuardAsync(primary);
        var second = await cluster.DaemonOf(primary).RunAsync("guard");

        Assert.Equal(75, second.ExitCode);
        Assert.DoesNotContain("Unhandled", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reloaded_haproxy_is_told_again_what_to_do()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await cluster.Haproxy.ReloadAsync();
        await cluster.WaitForServingAsync(primary);
        Assert.Empty(await watch.StopAsync());
    }

    [Fact]
    public async Task A_restarted_haproxy_is_told_again_what_to_do()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await cluster.Haproxy.StopAsync();
        await cluster.Haproxy.StartAsync();
        await cluster.WaitForServingAsync(primary);
    }

    [Theory]
    [InlineData("primary", "standby", "witness")]
    [InlineData("witness", "standby", "primary")]
    [InlineData("standby", "primary", "witness")]
    public async Task Daemons_may_be_started_in_any_order(params string[] order)
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        foreach (var daemon in cluster.Daemons)
        {
            await daemon.StopAsync();
        }

        foreach (var role in order)
        {
            var node = role switch { "primary" => primary, "standby" => standby, _ => cluster.Repmgr.Witness };
            cluster.DaemonOf(node).Start();
            await cluster.WaitForListeningAsync(node);
        }

        await cluster.WaitForServingAsync(primary);
    }

    [Fact]
    public async Task A_node_may_run_as_two_processes()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await cluster.DaemonOf(primary).StopAsync();
        var server = cluster.Part(primary, HarepdMode.ServerOnly);
        var client = cluster.Part(primary, HarepdMode.ClientOnly);
        try
        {
            client.Start();
            server.Start();
            await cluster.WaitForServingAsync(primary);
            Assert.True(await client.StopAsync());
            Assert.Empty(await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend));
        }
        finally
        {
            await client.KillAsync();
            await server.KillAsync();
        }
    }

    [Fact]
    public async Task A_primary_started_before_its_daemon_is_opened_and_a_daemon_started_before_its_primary_waits()
    {
        var (cluster, primary, _) = await live.ReadyAsync();
        await primary.Server.StopAsync();
        await cluster.DaemonOf(primary).StopAsync();
        cluster.DaemonOf(primary).Start();
        Assert.Empty(await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend));

        await primary.Server.StartAsync();
        await cluster.WaitForServingAsync(primary);
        Assert.True(cluster.DaemonOf(primary).IsRunning);
    }

    private static Task WaitUntilShutAsync(LabCluster cluster, RepmgrNode primary) => Wait.UntilAsync(
        async () => await CheckProbe.AskAsync(primary.Server, cluster.Haproxy) == CheckAnswer.Refused
            && (await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend)).Count == 0,
        $"the gate of {primary.Name} to be shut",
        detail: cluster.Describe);
}
