using System.Diagnostics;
using System.Globalization;
using Harepd.Core.Act;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// Many seeds. <c>HAREPD_SIM_SEEDS</c> says how many, <c>HAREPD_SIM_SEED</c> replays one (<c>HAREPD_SIM_FAULTS</c> with fewer faults,
/// <c>HAREPD_SIM_LINES</c> shows more of its end), <c>HAREPD_SIM_MINUTES</c> goes on for so long from a seed that differs each time.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly int Workers = Math.Max(1, Environment.ProcessorCount);

    [Fact]
    public void Safety_holds_under_every_fault_and_service_returns_after_it()
    {
        if (Number("HAREPD_SIM_SEED") is { } seed)
        {
            Replay((ulong)seed);
            return;
        }

        var begun = Stopwatch.StartNew();
        var minutes = Number("HAREPD_SIM_MINUTES");
        var first = minutes is null ? 1UL : (ulong)DateTime.UtcNow.Ticks;
        var count = minutes is null ? Number("HAREPD_SIM_SEEDS") ?? 300 : long.MaxValue;
        var outcomes = new List<Outcome>();
        Outcome? failed = null;
        Parallel.For(0L, count, new ParallelOptions { MaxDegreeOfParallelism = Workers }, (i, loop) =>
        {
            if (begun.Elapsed.TotalMinutes > (minutes ?? 60))
            {
                loop.Stop();
                return;
            }

            var outcome = Simulator.Run(Plan.Draw(first + (ulong)i));
            lock (outcomes)
            {
                outcomes.Add(outcome with { Tail = "" });
                if (outcome.Violation is not null && (failed is null || outcome.Plan.Seed < failed.Plan.Seed))
                {
                    failed = outcome;
                    loop.Stop();
                }
            }
        });

        Report(outcomes, begun.Elapsed);
        Assert.True(failed is null, failed is null ? "" : Simulator.Describe(Simulator.Shrink(failed)));
    }

    /// <summary>One planned move after the other, among at most a few other faults of a seed, so that most get far.</summary>
    [Fact]
    public void Planned_moves_open_no_second_gate_and_lose_nothing()
    {
        var outcomes = new List<Outcome>();
        var count = Number("HAREPD_SIM_SEEDS") is { } seeds ? (int)Math.Max(1, seeds / 3) : 90;
        Parallel.For(1, count + 1, new ParallelOptions { MaxDegreeOfParallelism = Workers }, i =>
        {
            var plan = Plan.Draw((ulong)i);
            var few = new Dice(plan.Seed, "moves");
            var faults = Enum.GetValues<Faults>().Where(fault => plan.Has(fault) && few.Chance(0.2)).Aggregate(Faults.Switchover, (all, fault) => all | fault);
            var outcome = Simulator.Run(plan with { IsManaged = true, IsContested = false, Faults = faults & Faults.All, FaultEvery = 3 * Span.Second });
            lock (outcomes)
            {
                outcomes.Add(outcome);
            }
        });

        Report(outcomes, TimeSpan.FromSeconds(1));
        var failed = outcomes.Where(outcome => outcome.Violation is not null).MinBy(outcome => outcome.Plan.Seed);
        Assert.True(failed is null, failed is null ? "" : Simulator.Describe(Simulator.Shrink(failed)));
        Assert.True(outcomes.Sum(outcome => outcome.Moves) > count, "few planned moves were carried through");
        DecisionKind[] meant =
        [
            DecisionKind.MoveResumed, DecisionKind.MoveForgotten, DecisionKind.MaintenanceBegins, DecisionKind.FenceOrdered, DecisionKind.StopDone, DecisionKind.StopEnded, DecisionKind.StartDone,
        ];
        Assert.DoesNotContain(meant, kind => outcomes.Sum(outcome => outcome.Decisions.GetValueOrDefault(kind)) < count / 20);
    }

    /// <summary>Managed synchronous replication and synchronousOnly, among at most a few other faults of a seed, so that there is something to lose.</summary>
    [Fact]
    public void With_synchronousOnly_no_acknowledged_write_is_lost()
    {
        var outcomes = new List<Outcome>();
        var count = Number("HAREPD_SIM_SEEDS") is { } seeds ? (int)Math.Max(1, seeds / 2) : 150;
        Parallel.For(1, count + 1, new ParallelOptions { MaxDegreeOfParallelism = Workers }, i =>
        {
            var plan = Plan.Draw((ulong)i);
            var few = new Dice(plan.Seed, "losses");
            var faults = Enum.GetValues<Faults>().Where(fault => plan.Has(fault) && few.Chance(0.3)).Aggregate(Faults.ServerCrash | Faults.Cuts, (all, fault) => all | fault);
            var outcome = Simulator.Run(plan with { IsManaged = true, IsSynchronous = true, IsContested = false, Faults = faults & Faults.All, FaultEvery = 6 * Span.Second });
            lock (outcomes)
            {
                outcomes.Add(outcome);
            }
        });

        Report(outcomes, TimeSpan.FromSeconds(1));
        var failed = outcomes.Where(outcome => outcome.Violation is not null).MinBy(outcome => outcome.Plan.Seed);
        Assert.True(failed is null, failed is null ? "" : Simulator.Describe(Simulator.Shrink(failed)));
        output.WriteLine($"{outcomes.Sum(outcome => outcome.KeptPromotions)} promotions");
        Assert.True(outcomes.Sum(outcome => outcome.KeptPromotions) > count / 4, "few servers were promoted");
    }

    [Fact]
    public void A_seed_gives_the_same_run_each_time()
    {
        var once = Simulator.Run(Plan.Draw(7));
        var again = Simulator.Run(Plan.Draw(7));

        Assert.Equal((once.Steps, once.VirtualTime, once.Unavailable), (again.Steps, again.VirtualTime, again.Unavailable));
    }

    private void Replay(ulong seed)
    {
        var plan = Plan.Draw(seed);
        if (Number("HAREPD_SIM_FAULTS") is { } faults)
        {
            plan = plan with { Faults = (Faults)faults };
        }

        var outcome = Simulator.Run(plan);
        output.WriteLine($"seed {seed}: {plan.Shape}; faults: {plan.Faults}; {outcome.Steps} steps, {outcome.Acquisitions} leases");
        Assert.True(outcome.Violation is null, Simulator.Describe(outcome));
    }

    private void Report(List<Outcome> outcomes, TimeSpan elapsed)
    {
        var hours = outcomes.Sum(outcome => outcome.VirtualTime) / 3.6e12;
        var shares = outcomes.Select(outcome => outcome.Unavailable / (double)outcome.VirtualTime).Order().ToList();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{outcomes.Count} seeds, {hours:0.0} virtual hours in {elapsed.TotalSeconds:0} s: {hours / elapsed.TotalSeconds:0.00} virtual hours a second, {outcomes.Sum(outcome => outcome.Steps)} steps, {outcomes.Sum(outcome => outcome.Acquisitions)} leases, {outcomes.Sum(outcome => outcome.Moves)} planned moves ({outcomes.Sum(outcome => outcome.MovesBack)} taken back or failed); without an open write gate: median {shares[shares.Count / 2]:P1}, worst {shares[^1]:P1} of a run"));
    }

    private static long? Number(string name) =>
        long.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : null;
}
