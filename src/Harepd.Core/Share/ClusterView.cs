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
        if (!membership.Everyone.Contains(report.Member))
        {
            return this;
        }

        var known = Reports.GetValueOrDefault(report.Member);
        if (known is null || IsNewer(report, known.Report))
        {
            var seen = new SeenReport(report, now - Bounded(report.Age)) { HeardAt = now, NotedAt = now - Bounded(report.NotedAge) };
            return this with { Reports = Reports.SetItem(report.Member, known is null ? seen : seen.WithNotedOf(known)) };
        }

        var next = known.WithNotedOf(new SeenReport(report, default) { NotedAt = now - Bounded(report.NotedAge) });
        return next == known ? this : this with { Reports = Reports.SetItem(report.Member, next) };
    }

    /// <summary>The report of a member if it is not older than <paramref name="freshness"/>, else null.</summary>
    public NodeReport? FreshReportOf(MemberId member, Instant now, TimeSpan freshness) =>
        Reports.TryGetValue(member, out var seen) && now - seen.MadeAt <= freshness ? seen.Report : null;

    /// <summary>All reports as they would be told to another, with the age they have here and now.</summary>
    public ImmutableArray<NodeReport> ToTell(Instant now) =>
        [.. Reports.Values.Select(seen => seen.Report with { Age = now - seen.MadeAt, NotedAge = seen.Report.Noted is null ? TimeSpan.Zero : now - seen.NotedAt })];

    /// <summary>Whatever a peer claims, the age stays in a range that the clock can subtract.</summary>
    private static TimeSpan Bounded(TimeSpan age) => TimeSpan.FromTicks(Math.Clamp(age.Ticks, 0, TimeSpan.TicksPerDay));

    private static bool IsNewer(NodeReport left, NodeReport right) =>
        left.Version != right.Version ? left.Version > right.Version : left.Incarnation.CompareTo(right.Incarnation) > 0;
}

/// <summary>A report and the instant it was made, at the latest, on this node's clock.</summary>
public sealed record SeenReport(NodeReport Report, Instant MadeAt)
{
    /// <summary>When it came in here, from its member or by way of another: what silence is counted from.</summary>
    public Instant HeardAt { get; init; }

    /// <summary>When <see cref="NodeReport.Noted"/> was true, at the latest.</summary>
    public Instant NotedAt { get; init; }

    /// <summary>
    /// What a member's voter has on its disk is a statement of its own: the one made last counts, whatever report brought it. By its version and not by its
    /// age, which each hop understates a little.
    /// </summary>
    public SeenReport WithNotedOf(SeenReport other)
    {
        if (other.Report.Noted is not { } noted || (Report.Noted is { } mine && !IsLater(mine, other.Report.NotedVersion, noted)))
        {
            return this;
        }

        var isSame = Report.Noted is not null && Report.NotedVersion == other.Report.NotedVersion;
        return this with { Report = Report with { Noted = noted, NotedVersion = other.Report.NotedVersion }, NotedAt = isSame ? NotedAt : other.NotedAt };
    }

    private bool IsLater(DurableTimeline mine, long version, DurableTimeline noted) =>
        version > Report.NotedVersion || (version == Report.NotedVersion && noted.CompareTo(mine) > 0);
}
