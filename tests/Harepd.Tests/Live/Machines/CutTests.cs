using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>The network is cut around a primary that is well: it shuts itself before anybody else may be opened.</summary>
[Collection(MachineTests.Name)]
public sealed class CutTests(MachineCluster machines)
{
    [NetworkFact]
    public async Task A_primary_cut_off_with_its_clients_shuts_itself_before_the_standby_is_opened()
    {
        await using var run = await machines.BeginAsync("primary cut off together with a HAProxy and clients");
        var (old, next) = (run.Sides.Primary, run.Sides.Standby);
        await next.StartDaemonAsync();
        await run.Sides.Network.CutAsync(run.Sides.Near, run.Sides.Far);
        run.Strike();

        await run.WaitForSilenceAsync(old);
        await run.WaitForWriteAsync(run.Far, next);
        await run.HealAsync();
        await run.WaitForWriteAsync(run.Near, next, afterSeconds: 2);
        await run.JudgeAsync(next);
        run.AssertShutWithinLease();
    }

    [NetworkFact]
    public async Task A_primary_cut_off_from_its_peers_alone_shuts_itself_and_a_long_cut_heals_without_a_gap()
    {
        await using var run = await machines.BeginAsync("primary cut off from its peers, still reached by clients and HAProxys; healed late");
        var (old, next) = (run.Sides.Primary, run.Sides.Standby);
        await next.StartDaemonAsync();
        await run.Sides.Network.CutAsync([run.Sides.PrimaryMachine], run.Sides.Peers);
        run.Strike();

        await run.WaitForSilenceAsync(old);
        await run.WaitForServiceAsync(next, afterSeconds: 4);
        await run.HealAsync();
        await run.WaitForServiceAsync(next, afterSeconds: 4);
        await run.JudgeAsync(next);
        run.AssertShutWithinLease();
    }

    [NetworkFact]
    public async Task A_primary_that_hears_nobody_shuts_itself()
    {
        await using var run = await machines.BeginAsync("one way: the primary hears no peer");
        await run.Sides.Network.CutOneWayAsync(run.Sides.Peers, [run.Sides.PrimaryMachine]);
        await OnlyShutAsync(run);
    }

    [NetworkFact]
    public async Task A_primary_that_nobody_hears_shuts_itself()
    {
        await using var run = await machines.BeginAsync("one way: no peer hears the primary");
        await run.Sides.Network.CutOneWayAsync([run.Sides.PrimaryMachine], run.Sides.Peers);
        await OnlyShutAsync(run);
    }

    [NetworkFact]
    public async Task A_link_that_comes_and_goes_never_makes_two_writers()
    {
        await using var run = await machines.BeginAsync("flapping link between the primary and its peers");
        run.Strike();
        for (var i = 0; i < 6; i++)
        {
            await run.Sides.Network.CutAsync([run.Sides.PrimaryMachine], run.Sides.Peers);
            await Task.Delay(TimeSpan.FromMilliseconds(700));
            await run.Sides.Network.HealAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(400));
        }

        run.Mend();
        await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 1);
        await run.JudgeAsync(run.Sides.Primary);
    }

    [NetworkFact]
    public async Task A_network_that_loses_three_packets_of_ten_never_makes_two_writers()
    {
        await using var run = await machines.BeginAsync("30 % of packets lost between the primary and its peers");
        await run.Sides.Network.LoseAsync([run.Sides.PrimaryMachine], run.Sides.Peers);
        run.Strike();
        await Task.Delay(TimeSpan.FromSeconds(4));
        await run.HealAsync();
        await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 1);
        await run.JudgeAsync(run.Sides.Primary);
    }

    [NetworkFact]
    public Task The_witness_cut_off_costs_nobody_a_write() => machines.CostsNothingAsync("witness cut off", async run =>
    {
        await run.Sides.Network.IsolateAsync(run.Sides.WitnessMachine);
        run.Strike();
        await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 4);
        await run.HealAsync();
        await run.WaitForServiceAsync(run.Sides.Primary, afterSeconds: 2);
    });

    // Nobody promotes: the same server is opened again when the network is whole.
    private static async Task OnlyShutAsync(FaultRun run)
    {
        run.Strike();
        var primary = run.Sides.Primary;
        await run.WaitForSilenceAsync(primary);
        run.AssertShutWithinLease();
        await run.HealAsync();
        await run.WaitForServiceAsync(primary, afterSeconds: 1);
        await run.JudgeAsync(primary);
    }
}
