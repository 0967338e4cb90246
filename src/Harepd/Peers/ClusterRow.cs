using System.Collections.Immutable;

namespace Harepd.Peers;

/// <summary>What a row of <c>repmgr.nodes</c> is.</summary>
internal enum ClusterRowKind
{
    Primary = 0,
    Standby = 1,
    Witness = 2,
}

/// <summary>An active row, as a peer of the 2021 daemon is to see it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Address">Its address as text; rows with anything but an IPv4 address are left out of the answer.</param>
internal readonly record struct ClusterRow(ClusterRowKind Kind, string Address);

/// <summary>What this node can say to a <c>GetClusterInfo</c>.</summary>
/// <param name="NodeId">Its own number in repmgr; -1 where it has none.</param>
/// <param name="Rows">The active rows.</param>
internal sealed record ClusterKnowledge(int NodeId, ImmutableArray<ClusterRow> Rows);
