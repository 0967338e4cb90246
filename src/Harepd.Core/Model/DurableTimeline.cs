namespace Harepd.Core.Model;

/// <summary>The part of a voter's memory that survives the machine: which system, and the highest timeline of any holder.</summary>
public readonly record struct DurableTimeline(SystemId System, TimelinePoint Point) : IComparable<DurableTimeline>
{
    /// <summary>Nothing was noted.</summary>
    public bool IsNone => System.IsUnknown && Point.IsUnknown;

    /// <summary>
    /// A total order in which, within one system, the higher timeline is higher; none is the lowest. Says nothing about two systems but which comes first.
    /// </summary>
    public int CompareTo(DurableTimeline other) =>
        (System.Value, Point.Timeline, Point.SwitchLsn.Value).CompareTo((other.System.Value, other.Point.Timeline, other.Point.SwitchLsn.Value));
}
