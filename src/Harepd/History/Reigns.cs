using System.Collections.Immutable;
using System.Globalization;
using Harepd.Core.Act;

namespace Harepd.History;

/// <summary>A timeline that ended because another server, or the same one promoted anew, went on.</summary>
/// <param name="Timeline">The one that ended.</param>
/// <param name="SwitchLsn">Where it ended; empty where unknown.</param>
/// <param name="Reason">One sentence.</param>
/// <param name="AtUtc">When the next one was seen to serve.</param>
/// <param name="NewHolder">The node that serves on the next one.</param>
internal sealed record EndedTimeline(uint Timeline, string SwitchLsn, string Reason, DateTime AtUtc, string NewHolder);

/// <summary>Who served on which timeline, drawn from the lines of one node in their order. Immutable; at most <see cref="Kept"/> ends.</summary>
internal sealed record Reigns
{
    public const int Kept = 100;

    public static readonly Reigns None = new();

    /// <summary>Oldest first.</summary>
    public ImmutableArray<EndedTimeline> Ended { get; init; } = [];

    /// <summary>The timeline served on last; 0 before the first.</summary>
    public uint Timeline { get; init; }

    public Reigns With(HistoryLine line)
    {
        var isOwn = line is { Kind: nameof(DecisionKind.GateConfirmed), To: "ReadWrite" };
        if ((!isOwn && line.Kind != nameof(DecisionKind.HolderSeen)) || line.Timeline <= Timeline)
        {
            return this;
        }

        if (Timeline == 0)
        {
            return this with { Timeline = line.Timeline };
        }

        var name = isOwn ? line.Node : (line.To ?? "").Split(" on ")[0];
        var reason = string.Create(CultureInfo.InvariantCulture, $"{name} serves on timeline {line.Timeline} under term {line.Term}");
        var ended = new EndedTimeline(line.Timeline - 1, line.SwitchLsn ?? "", reason, line.Time, name);
        return new Reigns { Timeline = line.Timeline, Ended = [.. Ended.Skip(Ended.Length >= Kept ? 1 : 0), ended] };
    }
}
