using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core.Decide;

/// <summary>
/// Whether a promotion can lose what was acknowledged (ADR 0018). Each acknowledged commit is on k of n names; of any n - k + 1 of them one has it. So who is
/// not behind any of n - k + 1, itself one of them, has everything.
/// </summary>
public static class NoLoss
{
    private const string Mend = " (harepd failover --accept-loss promotes it all the same)";

    /// <summary>Null when nothing acknowledged can be lacking here; otherwise why that is not known, or not so.</summary>
    /// <param name="question">The own server and the others' reports.</param>
    /// <param name="note">What the lost primary waited for.</param>
    /// <param name="asked">With which question the others' positions must have been read; null: any fresh one, as a hint.</param>
    public static FailoverVerdict? Doubt(FailoverQuestion question, SynchronyNote note, Ballot? asked = null)
    {
        var server = question.Server;
        if (note.Stated is not { } stated)
        {
            return No("it is not known what the last primary waited for before it acknowledged");
        }

        if (note.System != server.SystemId || note.Timeline != server.Timeline)
        {
            return No($"what the last primary waited for is known for timeline {note.Timeline}, and this standby is on {server.Timeline}");
        }

        if (stated.IsNone)
        {
            return No("the last primary acknowledged without waiting for a standby");
        }

        if (!stated.Has(question.NodeName))
        {
            return No($"the last primary did not wait for this standby but for {stated}");
        }

        var known = question.View.Reports.Values.Where(seen => IsNotAhead(question, seen, asked)).Select(seen => Synchrony.Fold(seen.Report.NodeName))
            .Where(stated.Names.Contains).Append(Synchrony.Fold(question.NodeName)).ToHashSet(StringComparer.Ordinal);
        return known.Count >= stated.Enough
            ? null
            : FailoverVerdict.Wait($"the last primary waited for {stated}, and nothing says that none of {string.Join(", ", stated.Names.Except(known))} received more{Mend}", Instant.Forever);
    }

    /// <summary>The note that counts, when a majority of all members has one; null when it has not.</summary>
    public static SynchronyNote? Highest(LeaseAttempt attempt, Membership membership) =>
        membership.IsMajority(attempt.Notes.Keys.ToHashSet()) ? attempt.Notes.Values.MaxBy(note => note.Ballot) : null;

    /// <summary>No, for want of notes.</summary>
    public static FailoverVerdict Unknown { get; } = No("no majority of the voters knows what the last primary waited for");

    private static FailoverVerdict No(string reason) => FailoverVerdict.No(reason + Mend);

    /// <summary>A standby of the same history that says all that it has, and has no more than this one.</summary>
    private static bool IsNotAhead(FailoverQuestion question, SeenReport seen, Ballot? asked)
    {
        var report = seen.Report;
        var isTimely = asked is not { } ballot || report.SeenAfter == ballot;
        return report.Member != question.Self && report is { InRecovery: true, HasReceived: true } && isTimely && question.Now - seen.MadeAt <= question.Freshness
            && report.System == question.Server.SystemId && report.Timeline == question.Server.Timeline && report.WriteLsn <= question.Server.WriteLsn;
    }
}
