using System.Collections.Immutable;
using System.Globalization;
using Harepd.Config;

namespace Harepd.Cli.Check;

/// <summary>One line of the failover budget.</summary>
/// <param name="Name">Name for machines; its value is in milliseconds.</param>
/// <param name="What">What it means, for people.</param>
/// <param name="Formula">How it follows from the configuration.</param>
internal sealed record BudgetLine(string Name, string What, string Formula, TimeSpan Span);

/// <summary>The failover budget as lines, in the order in which things happen when a host is lost.</summary>
internal static class BudgetTable
{
    public static ImmutableArray<BudgetLine> Of(LeaseConfig lease)
    {
        var budget = LeaseBudget.Of(lease);
        var roundTrip = Seconds(LeaseBudget.RoundTrip);
        return
        [
            new("stall_survived_ms", "longest stall of the holder that costs nothing", $"D - renewInterval - fenceBudget - {roundTrip} round trip", budget.StallSurvived),
            new("fence_starts_ms", "a holder that cannot renew begins to fence itself", "D - fenceBudget after its last renewal began", budget.FenceStarts),
            new("deadline_ms", "and has ended every write", "D after its last renewal began", budget.Deadline),
            new("voters_hold_ms", "voters refuse everybody else for (A)", $"(D + 10 ms)(1 + rho)/(1 - rho), rho = {lease.DriftPpm} ppm", budget.VotersHold),
            new("voters_abstain_ms", "a voter that lost its memory is silent for (Q)", "A of maxDuration", budget.VotersAbstain),
            new("silence_min_ms", "host lost: voters are free after at least", "A - renewInterval", budget.SilenceAtLeast),
            new("silence_max_ms", "host lost: voters are free after at most", "A", budget.SilenceAtMost),
            new("host_lost_ms", "host lost: writes go on after at most", "A + 0.3 s for promotion and steering", budget.HostLost),
        ];
    }

    /// <summary>A span for people, in seconds.</summary>
    public static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + " s";
}
