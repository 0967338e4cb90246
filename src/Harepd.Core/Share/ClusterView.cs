using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core.Share;

/// <summary>
/// The merge of all reports. Merging is commutative, associative and idempotent in what is known (the freshest report of each member);
/// when it was heard is this node's own note. Bounded by the membership: reports of strangers are dropped.
/// </summary>
public sealed record ClusterView
{
    /// <summary>A view in which nobody has spoken yet.</summary>
    public static readonly ClusterView Empty = new();

    /// <summary>The freshest report of each member, and when it was made as far as this clock can tell.</summary>
    public ImmutableSortedDictionary<MemberId, SeenReport> Reports { get; init; } = ImmutableSortedDictionary<MemberId, SeenReport>.Empty;

    /// <summary>Takes in one report heard at <paramref name="now"/>; returns this view itself when it tells nothing newer.</summary>
    public ClusterView Merge(NodeReport report, Membership membership, Instant now)
    {
        if (!membership.Everyone.Contains(report.Member)
            || (Reports.TryGetValue(report.Member, out var known) && !IsNewer(report, known.Report)))
        {
            return this;
        }

        // Whatever a peer claims, the age stays in a range that the clock can subtract.
        var age = TimeSpan.FromTicks(Math.Clamp(report.Age.Ticks, 0, TimeSpan.TicksPerDay));
        return this with { Reports = Reports.SetItem(report.Member, new SeenReport(report, now - age) { HeardAt = now }) };
    }

    /// <summary>The report of a member if it is not older than <paramref name="freshness"/>, else null.</summary>
    public NodeReport? FreshReportOf(MemberId member, Instant now, TimeSpan freshness) =>
        Reports.TryGetValue(member, out var seen) && now - seen.MadeAt <= freshness ? seen.Report : null;

    /// <summary>All reports as they would be told to another, with the age they have here and now.</summary>
    public ImmutableArray<NodeReport> ToTell(Instant now) =>
        [.. Reports.Values.Select(seen => seen.Report with { Age = now - seen.MadeAt })];

    private static bool IsNewer(NodeReport left, NodeReport right) =>
        left.Version != right.Version ? left.Version > right.Version : left.Incarnation.CompareTo(right.Incarnation) > 0;
}

/// <summary>A report and the instant it was made, at the latest, on this node's clock.</summary>
public sealed record SeenReport(NodeReport Report, Instant MadeAt)
{
    /// <summary>When it came in here, from its member or by way of another: what silence is counted from.</summary>
    public Instant HeardAt { get; init; }
}
