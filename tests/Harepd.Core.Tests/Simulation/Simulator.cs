using System.Globalization;
using Harepd.Core.Act;

namespace Harepd.Core.Tests.Simulation;

/// <summary>What came of one run.</summary>
internal sealed record Outcome(Plan Plan, string? Violation, string Tail, long VirtualTime, long Unavailable, long Steps, long Acquisitions, long Moves = 0, long MovesBack = 0, long KeptPromotions = 0)
{
    /// <summary>How often each kind of decision was recorded.</summary>
    public IReadOnlyDictionary<DecisionKind, long> Decisions { get; init; } = new Dictionary<DecisionKind, long>();
}

/// <summary>Runs plans, and shrinks those that fail to fewer faults.</summary>
internal static class Simulator
{
    public static Outcome Run(Plan plan, Mutation? mutation = null)
    {
        var world = new World(plan, mutation);
        string? violation = null;
        try
        {
            world.Run();
        }
        catch (ViolationException broken)
        {
            violation = broken.Message;
        }

        return new Outcome(
            plan,
            violation,
            violation is null ? "" : world.History.Tail(Lines()),
            world.Agenda.Now,
            world.Checkers.Unavailable,
            world.Steps,
            world.Checkers.Acquisitions,
            world.Checkers.Moves,
            world.Checkers.MovesBack,
            world.Checkers.KeptPromotions)
        {
            Decisions = world.Checkers.Decisions,
        };
    }

    /// <summary>Leaves out one fault after the other as long as the run still fails; the streams of dice are apart, so the rest stays as it was.</summary>
    public static Outcome Shrink(Outcome failed, Mutation? mutation = null)
    {
        var smallest = failed;
        foreach (var fault in Enum.GetValues<Faults>().Where(fault => fault is not (Faults.None or Faults.All) && failed.Plan.Has(fault)))
        {
            var fewer = Run(smallest.Plan with { Faults = smallest.Plan.Faults & ~fault }, mutation);
            smallest = fewer.Violation is null ? smallest : fewer;
        }

        return smallest;
    }

    public static string Describe(Outcome outcome) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        seed {outcome.Plan.Seed}: {outcome.Violation}
          {outcome.Plan.Shape}; faults: {outcome.Plan.Faults}
          after {outcome.VirtualTime / 1e9:0.000} virtual seconds; the last events:
        {outcome.Tail}
          replay: HAREPD_SIM_FAULTS={(int)outcome.Plan.Faults} ./build.sh sim --seed {outcome.Plan.Seed}
        """);

    private static int Lines() => int.TryParse(Environment.GetEnvironmentVariable("HAREPD_SIM_LINES"), CultureInfo.InvariantCulture, out var lines) ? lines : 60;
}
