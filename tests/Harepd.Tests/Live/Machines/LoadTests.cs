using System.Net.Sockets;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Harepd.Tests.Watch;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>A server that is full, busy or stuck, and daemons that are replaced under load.</summary>
[Collection(MachineTests.Name)]
public sealed class LoadTests(MachineCluster machines)
{
    private const int Busy = 100;
    private const int HalfOpen = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [NetworkFact]
    public async Task A_fence_ends_a_hundred_busy_sessions_and_admits_no_login_under_way()
    {
        await using var run = await machines.BeginAsync($"primary cut off from its peers with {Busy} busy sessions and {HalfOpen} logins under way");
        var server = run.Sides.Primary.Server;
        var crowd = run.Add(Writer.Start(
            server.Address, server.Port, number: 7, new WriterOptions { Clients = Busy, Rate = 500, From = run.Sides.FarClient, RetryPause = TimeSpan.FromSeconds(2) }));
        await Wait.UntilAsync(() => crowd.Attempts.Count(attempt => attempt.IsAcknowledged) > 2 * Busy, "the crowd to write");
        var halfOpen = new List<WireSession>();
        for (var i = 0; i < HalfOpen; i++)
        {
            halfOpen.Add(await WireSession.OpenAsync(server.Address, server.Port, Patience, from: run.Sides.FarClient));
        }

        await run.Sides.Network.CutAsync([run.Sides.PrimaryMachine], run.Sides.Peers);
        run.Strike();
        await run.WaitForSilenceAsync(run.Sides.Primary);
        var admitted = await Task.WhenAll(halfOpen.Select(GetsInAsync));
        await run.HealAsync();
        await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 1);
        await run.JudgeAsync(run.Sides.Primary);
        Assert.DoesNotContain(true, admitted);
    }

    [NetworkFact]
    public async Task A_primary_with_every_slot_taken_goes_on_and_can_still_be_fenced()
    {
        await using var run = await machines.BeginAsync("every connection slot taken, then the primary cut off from its peers");
        var server = run.Sides.Primary.Server;
        var sessions = new List<WireSession>();
        await FillAsync(sessions, server, run.Sides.FarClient);
        await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 4);

        await run.Sides.Network.CutAsync([run.Sides.PrimaryMachine], run.Sides.Peers);
        run.Strike();
        await run.WaitForSilenceAsync(run.Sides.Primary);
        run.AssertShutWithinLease();
        await run.HealAsync();
        await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 1);
        await run.JudgeAsync(run.Sides.Primary);
        sessions.ForEach(session => session.Dispose());
    }

    [NetworkFact]
    public async Task A_primary_whose_postmaster_is_stopped_is_shut_to_old_sessions_too()
    {
        await using var run = await machines.BeginAsync("primary's postmaster stopped (SIGSTOP)");
        var next = run.Sides.Standby;
        await next.StartDaemonAsync();
        run.Sides.Primary.Server.FreezePostmaster();
        run.Strike();
        await run.WaitForServiceAsync(next, afterSeconds: 1);
        run.Sides.Primary.Server.Thaw();
        run.Mend();
        await run.WaitForServiceAsync(next, afterSeconds: 2);
        await run.JudgeAsync(next);
    }

    [NetworkFact]
    public async Task A_primary_whose_disk_is_full_is_shut_and_opened_again_when_there_is_room()
    {
        await using var run = await machines.BeginAsync("primary's disk full, then room again");
        var primary = run.Sides.Primary;
        await primary.Server.StopAsync();
        using var disk = new SmallDisk(primary.Server.DataDirectory, megabytes: 512);
        await primary.Server.StartAsync();
        await run.WaitForServiceAsync(primary, afterSeconds: 1);
        disk.Fill();
        run.Strike();
        await run.WaitForSilenceAsync(primary);
        disk.Empty();
        run.Mend();
        await run.WaitForServiceAsync(primary, afterSeconds: 1);
        await run.JudgeAsync(primary);
        await primary.Server.StopAsync();
        disk.MoveBack();
    }

    [NetworkFact]
    public async Task Every_daemon_may_be_restarted_under_load()
    {
        await using var run = await machines.BeginAsync("every daemon restarted in turn (SIGTERM, start)");
        var cluster = run.Sides.Cluster;
        run.Strike();
        foreach (var node in new[] { cluster.Repmgr.Witness, run.Sides.Standby, run.Sides.Primary })
        {
            Assert.True(await cluster.DaemonOf(node).StopAsync(), $"the daemon of {node.Name} did not end by itself");
            cluster.DaemonOf(node).Start();
            await cluster.WaitForListeningAsync(node);
            await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 1);
        }

        await run.JudgeAsync(run.Sides.Primary);
    }

    [NetworkFact]
    public Task Every_daemon_may_be_upgraded_under_load_at_no_cost() => machines.CostsNothingAsync("every daemon replaced in turn (SIGUSR1, start)", async run =>
    {
        var cluster = run.Sides.Cluster;
        run.Strike();
        foreach (var node in new[] { cluster.Repmgr.Witness, run.Sides.Standby, run.Sides.Primary })
        {
            Assert.True(await cluster.DaemonOf(node).HandOverAsync(), $"the daemon of {node.Name} did not end by itself");
            cluster.DaemonOf(node).Start();
            await cluster.WaitForListeningAsync(node);
            await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 1);
        }
    });

    private static async Task FillAsync(List<WireSession> sessions, PostgresServer server, NetworkMachine client)
    {
        try
        {
            while (sessions.Count < 2 * MachineCluster.Slots)
            {
                sessions.Add(await WireSession.LoginAsync(server.Address, server.Port, "app", "app", Patience, client));
            }
        }
        catch (WireException e) when (e.State == "53300")
        {
            return;
        }

        throw new LabException("the slots are endless");
    }

    // A login that was begun before the fence: may it write?
    private static async Task<bool> GetsInAsync(WireSession session)
    {
        try
        {
            await session.SendStartupAsync("app", "app", Patience);
            await session.FinishLoginAsync(Patience);
            return true;
        }
        catch (Exception e) when (e is WireException or SocketException or OperationCanceledException)
        {
            return false;
        }
        finally
        {
            session.Dispose();
        }
    }
}
