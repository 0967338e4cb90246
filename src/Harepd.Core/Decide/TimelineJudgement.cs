using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>What a noted timeline says of another.</summary>
public static class TimelineJudgement
{
    /// <summary>
    /// Whether a server on <paramref name="point"/> of <paramref name="system"/> may hold a lease: same system, a timeline not below
    /// the recorded one, and the very same switch point where the numbers are equal (numbers can collide).
    /// An unknown timeline or system is never admitted.
    /// </summary>
    public static RefusalReason Judge(this DurableTimeline noted, SystemId system, TimelinePoint point)
    {
        if (system.IsUnknown || (!noted.System.IsUnknown && system != noted.System))
        {
            return RefusalReason.OtherSystem;
        }

        var isOld = point.IsUnknown || point.Timeline < noted.Point.Timeline || (point.Timeline == noted.Point.Timeline && point.SwitchLsn != noted.Point.SwitchLsn);
        return isOld ? RefusalReason.OldTimeline : RefusalReason.None;
    }
}
