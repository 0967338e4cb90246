using Harepd.Lab.Clients;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>Whole machines go, and come back as machines do: with PostgreSQL up before the daemon.</summary>
[Collection(MachineTests.Name)]
public sealed class LossTests(MachineCluster machines)
{
    [NetworkFact]
    public async Task A_lost_primary_is_replaced_and_stays_shut_when_it_comes_back()
    {
        await using var run = await machines.BeginAsync("primary's host lost, then back, PostgreSQL before the daemon");
        var (cluster, old, next) = (run.Sides.Cluster, run.Sides.Primary, run.Sides.Standby);
        await next.StartDaemonAsync();
        await run.Sides.Network.IsolateAsync(run.Sides.PrimaryMachine);
        run.Strike();
        await run.Sides.PrimaryMachine.KillAllAsync();
        await run.WaitForServiceAsync(next, afterSeconds: 1);

        cluster.ForgetMemory(old);
        await run.HealAsync();
        await StartServerAsync(run, old);
        Assert.Equal(CheckAnswer.Refused, await CheckProbe.AskAsync(old.Server, run.Sides.NearHaproxy));
        cluster.DaemonOf(old).Start();
        await run.WaitForServiceAsync(next, afterSeconds: 4);
        await run.JudgeAsync(next);
        Assert.Equal(CheckAnswer.Refused, await CheckProbe.AskAsync(old.Server, run.Sides.NearHaproxy));
    }

    [NetworkFact]
    public Task A_lost_standby_costs_nobody_a_write() => machines.CostsNothingAsync("standby's host lost, then back", async run =>
    {
        var (cluster, primary, standby) = (run.Sides.Cluster, run.Sides.Primary, run.Sides.Standby);
        await run.Sides.Network.IsolateAsync(run.Sides.StandbyMachine);
        run.Strike();
        await run.Sides.StandbyMachine.KillAllAsync();
        await run.WaitForServiceAsync(primary, afterSeconds: 4);

        cluster.ForgetMemory(standby);
        await run.HealAsync();
        await StartServerAsync(run, standby);
        cluster.DaemonOf(standby).Start();
        await RepmgrCluster.WaitForStreamingAsync(standby.Server);
        await run.WaitForServiceAsync(primary, afterSeconds: 1);
    });

    [NetworkFact]
    public async Task After_a_power_cut_of_everything_the_primary_serves_again_and_nothing_is_lost()
    {
        await using var run = await machines.BeginAsync("power cut of every node and HAProxy");
        var (cluster, primary) = (run.Sides.Cluster, run.Sides.Primary);
        var nodes = cluster.Repmgr.DataNodes.Append(cluster.Repmgr.Witness).ToList();
        run.Strike();
        await Task.WhenAll(nodes.Select(node => run.Sides.Network[node.Name].KillAllAsync()).Concat(cluster.Haproxies.Select(haproxy => haproxy.Machine!.KillAllAsync())));

        nodes.ForEach(cluster.ForgetMemory);
        await Task.WhenAll(nodes.Select(node => StartServerAsync(run, node)).Concat(cluster.Haproxies.Select(haproxy => haproxy.StartAsync())));
        run.Mend();
        cluster.StartDaemons();
        await run.WaitForServiceAsync(primary, afterSeconds: 1);
        Assert.Equal(0, (await run.JudgeAsync(primary)).Lost);
    }

    // As systemd orders a boot: the gate is shut on disk, then PostgreSQL starts.
    private static async Task StartServerAsync(FaultRun run, RepmgrNode node)
    {
        if (node != run.Sides.Cluster.Repmgr.Witness)
        {
            var fence = await run.Sides.Cluster.DaemonOf(node).RunAsync("fence");
            Assert.True(fence.Succeeded, fence.Output);
        }

        await node.Server.WaitForEndAsync();
        await node.Server.StartAsync();
    }
}
