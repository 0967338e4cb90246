using Harepd.Core.Model;

namespace Harepd.Core.Share;

/// <summary>The member that held the lease last with a primary, as far as anybody told: what a failover replaces.</summary>
/// <param name="Member">Who.</param>
/// <param name="Term">Its lease.</param>
/// <param name="Timeline">Where it wrote.</param>
/// <param name="WriteLsn">How far, by its last word; what a successor may lack is counted from here.</param>
public sealed record LastPrimary(MemberId Member, Term Term, TimelinePoint Timeline, Lsn WriteLsn)
{
    /// <summary>The last primary after one more report: a later term replaces it, a later word of the same member moves its position.</summary>
    public static LastPrimary? After(LastPrimary? known, NodeReport report)
    {
        if (report is { HeldTerm.Value: > 0, InRecovery: false } && !report.Timeline.IsUnknown && !(known?.Term > report.HeldTerm))
        {
            var isSame = known is not null && known.Member == report.Member && known.Timeline == report.Timeline;
            var lsn = isSame && known!.WriteLsn > report.WriteLsn ? known.WriteLsn : report.WriteLsn;
            return new LastPrimary(report.Member, report.HeldTerm, report.Timeline, lsn);
        }

        // Its last words, when it had given up already, still say how far it wrote.
        var isLastWord = known is not null && known.Member == report.Member && known.Timeline == report.Timeline
            && report.InRecovery != true && report.WriteLsn > known.WriteLsn;
        return isLastWord ? known! with { WriteLsn = report.WriteLsn } : known;
    }
}
