using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core.Decide;

/// <summary>A standby that may be promoted, as it compares with others: timeline, received position, priority, name.</summary>
/// <param name="Member">Who.</param>
/// <param name="Timeline">Number of the timeline that it received.</param>
/// <param name="Received">The last position received on it.</param>
/// <param name="Priority">From its configuration.</param>
/// <param name="Name">Its node name; the last word between equals, together with the member.</param>
public readonly record struct Candidate(MemberId Member, uint Timeline, Lsn Received, int Priority, string Name)
{
    /// <summary>A standby as it reports of itself.</summary>
    public static Candidate Of(NodeReport report) => new(report.Member, report.Timeline.Timeline, report.WriteLsn, report.Priority, report.NodeName);

    /// <summary>True when this one goes before the other. A total order, so that all members rank alike.</summary>
    public bool IsBefore(Candidate other)
    {
        if (Timeline != other.Timeline)
        {
            return Timeline > other.Timeline;
        }

        if (Received != other.Received)
        {
            return Received > other.Received;
        }

        if (Priority != other.Priority)
        {
            return Priority > other.Priority;
        }

        var byName = string.CompareOrdinal(Name, other.Name);
        return byName != 0 ? byName < 0 : Member.CompareTo(other.Member) < 0;
    }
}
