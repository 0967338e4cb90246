using Harepd.Core.Model;

namespace Harepd.Lab.Clients;

/// <summary>What the clients' own records say about a run: gaps, losses, and whether two servers took writes at once. Pure.</summary>
public static class Analyser
{
    /// <summary>
    /// The longest time without an acknowledgement between two moments; the last acknowledgement before and the first one after count, so a gap
    /// that reaches over an edge is seen whole. Null when nothing was acknowledged on one of the sides.
    /// </summary>
    public static TimeSpan? LongestGap(IEnumerable<WriteAttempt> attempts, Instant from, Instant to)
    {
        var ends = attempts.Where(attempt => attempt.IsAcknowledged).Select(attempt => attempt.End).Order().ToList();
        var before = ends.FindLastIndex(end => end <= from);
        var after = ends.FindIndex(end => end >= to);
        if (before < 0 || after < 0)
        {
            return null;
        }

        var longest = TimeSpan.Zero;
        for (var i = before + 1; i <= after; i++)
        {
            var gap = ends[i] - ends[i - 1];
            longest = gap > longest ? gap : longest;
        }

        return longest;
    }

    /// <summary>Acknowledged writes that a server does not have.</summary>
    public static IReadOnlyList<WriteAttempt> Lost(IEnumerable<WriteAttempt> attempts, IReadOnlySet<long> present) =>
        [.. attempts.Where(attempt => attempt.IsAcknowledged && !present.Contains(attempt.Id))];

    /// <summary>
    /// Of lost writes those that replication had delivered for certain: a later write, begun after the lost one was acknowledged by the same
    /// server on the same timeline, still lies below the position where that timeline was left. Only asynchronous loss is left out.
    /// </summary>
    /// <param name="timelineEnds">The survivor's history: where each timeline before its own was left. A write on any other timeline was never delivered.</param>
    public static IReadOnlyList<WriteAttempt> LostThoughDelivered(
        IReadOnlyCollection<WriteAttempt> attempts, IReadOnlyList<WriteAttempt> lost, IReadOnlyDictionary<uint, Lsn> timelineEnds) =>
        [.. lost.Where(write => timelineEnds.TryGetValue(write.Timeline, out var end) && attempts.Any(later =>
            later.IsAcknowledged && later.Server == write.Server && later.Timeline == write.Timeline
            && later.Begin > write.End && later.Lsn <= end))];

    /// <summary>
    /// How long two servers both took writes, for certain: from the first acknowledgement of the one to the last write that the other
    /// acknowledged and that was begun later. Zero when there never were two writers. Servers are told apart together with their timelines:
    /// the same server may rightly be primary again later.
    /// </summary>
    public static TimeSpan TwoWriters(IEnumerable<WriteAttempt> attempts)
    {
        var reigns = Reigns(attempts);
        var longest = TimeSpan.Zero;
        foreach (var older in reigns)
        {
            foreach (var newer in reigns.Where(newer => newer.Server != older.Server))
            {
                var overlap = Overlap(older, newer);
                longest = overlap > longest ? overlap : longest;
            }
        }

        return longest;
    }

    /// <summary>Who took writes when, in the order of the first: the record of which gate was open, as clients saw it.</summary>
    public static IReadOnlyList<Reign> Reigns(IEnumerable<WriteAttempt> attempts) =>
        [.. attempts
            .Where(attempt => attempt.IsAcknowledged)
            .GroupBy(attempt => (attempt.Server, attempt.Timeline))
            .Select(group => new Reign(group.Key.Server, group.Key.Timeline, group.Min(attempt => attempt.End), group.Max(attempt => attempt.Begin)))
            .OrderBy(reign => reign.FirstEnd)];

    private static TimeSpan Overlap(Reign older, Reign newer)
    {
        if (newer.Timeline < older.Timeline)
        {
            return TimeSpan.Zero;
        }

        var overlap = older.LastBegin - newer.FirstEnd;
        // On one timeline neither is the older one: both must have gone on after the other had begun.
        return newer.Timeline > older.Timeline ? overlap : Min(overlap, newer.LastBegin - older.FirstEnd);
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
