using System.Globalization;
using Harepd.Core.Model;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>Something else breaks in the middle of a failover.</summary>
[Collection(MachineTests.Name)]
public sealed class BrokenFailoverTests(MachineCluster machines)
{
    [NetworkFact]
    public async Task A_standby_cut_off_while_it_is_promoted_is_opened_only_when_it_reaches_a_majority()
    {
        await using var run = await machines.BeginAsync("standby cut off from all voters during its promotion");
        var (old, next) = (run.Sides.Primary, run.Sides.Standby);
        await old.Server.StopAsync();
        var promoted = PromotionWatch.Start(next.Server);
        var promotion = RepmgrCluster.PromoteAsync(next);
        await run.Sides.Network.CutAsync([run.Sides.StandbyMachine], [run.Sides.PrimaryMachine, run.Sides.WitnessMachine]);
        run.Strike();

        await promoted;
        await promotion;
        await Task.Delay(TimeSpan.FromSeconds(2));
        await run.HealAsync();
        await run.WaitForServiceAsync(next, afterSeconds: 1);
        await run.JudgeAsync(next);
    }

    [NetworkFact]
    public async Task A_primary_that_loses_haproxy_while_it_fences_itself_takes_no_write()
    {
        await using var run = await machines.BeginAsync("primary cut off from its peers, and from the HAProxys while it fences itself");
        var (old, next) = (run.Sides.Primary, run.Sides.Standby);
        await next.StartDaemonAsync();
        await run.Sides.Network.CutAsync([run.Sides.PrimaryMachine], run.Sides.Peers);
        run.Strike();
        await Wait.UntilAsync(() => GateOnDisk.Of(old.Server) == Gate.Fenced, $"{old.Name} to begin its fence", poll: TimeSpan.FromMilliseconds(1));
        await run.Sides.Network.CutAsync([run.Sides.PrimaryMachine], run.Sides.Cluster.Haproxies.Select(haproxy => haproxy.Machine!));

        await run.WaitForServiceAsync(next, afterSeconds: 1);
        await run.HealAsync();
        await run.WaitForServiceAsync(next, afterSeconds: 1);
        await run.JudgeAsync(next);
        run.AssertShutWithinLease();
    }

    [NetworkFact]
    public async Task A_haproxy_that_the_new_primary_cannot_reach_serves_nobody_until_it_can()
    {
        await using var run = await machines.BeginAsync("primary's host lost, one HAProxy unreachable from the new primary");
        var next = run.Sides.Standby;
        await next.StartDaemonAsync();
        await run.Sides.Network.CutAsync([run.Sides.StandbyMachine], [run.Sides.NearHaproxy.Machine!]);
        await run.Sides.Network.IsolateAsync(run.Sides.PrimaryMachine);
        run.Strike();
        await run.Sides.PrimaryMachine.KillAllAsync();

        await run.WaitForWriteAsync(run.Far, next, afterSeconds: 2);
        await run.HealAsync();
        await run.WaitForServiceAsync(next, afterSeconds: 1);
        await run.JudgeAsync(next);
    }

    [NetworkFact]
    public async Task A_frozen_daemons_guard_shuts_its_server_and_the_thawed_daemon_takes_nothing_back()
    {
        await using var run = await machines.BeginAsync("primary's daemon stopped (SIGSTOP), standby promoted by hand, daemon thawed");
        var (old, next) = (run.Sides.Primary, run.Sides.Standby);
        run.Sides.Cluster.DaemonOf(old).Freeze();
        run.Strike();
        await run.WaitForSilenceAsync(old);
        run.AssertShutWithinLease();

        await next.Server.ExecuteAsync("SELECT pg_promote(false)");
        await run.WaitForServiceAsync(next, afterSeconds: 1);
        run.Sides.Cluster.DaemonOf(old).Thaw();
        run.Mend();
        await run.WaitForServiceAsync(next, afterSeconds: 4);
        await run.JudgeAsync(next);
    }

    /// <summary>Beside the usual clients there are readers that are in already and try to write all the time. HAREPD_ROUNDS repeats it, for figures.</summary>
    [NetworkFact]
    public async Task A_standby_promoted_beside_a_lease_is_fenced_on_sight()
    {
        for (var rounds = int.Parse(Environment.GetEnvironmentVariable("HAREPD_ROUNDS") ?? "1", CultureInfo.InvariantCulture); rounds > 0; rounds--)
        {
            await using var run = await machines.BeginAsync("rogue: standby promoted while the primary holds the lease");
            var (primary, rogue) = (run.Sides.Primary, run.Sides.Standby);
            var readers = run.Add(Writer.Start(
                rogue.Server.Address,
                rogue.Server.Port,
                number: 7,
                new WriterOptions { Clients = 4, Rate = 800, From = run.Sides.FarClient, OutlivesErrors = true, RetryPause = TimeSpan.FromMilliseconds(50) }));
            await Wait.UntilAsync(
                () => readers.Attempts.Count(attempt => attempt.Error.StartsWith("25006", StringComparison.Ordinal)) > 20,
                "readers that may not write",
                detail: () => readers.Last?.Error ?? "");
            run.Strike();
            await rogue.Server.ExecuteAsync("SELECT pg_promote(false)");
            await Wait.UntilAsync(async () => await rogue.Server.IsInRecoveryAsync() == false, $"the promotion of {rogue.Name}");
            await run.WaitForSilenceAsync(rogue);
            await run.WaitForServiceAsync(primary, afterSeconds: 3);
            await run.JudgeAsync(primary, rogue);
        }
    }
}
