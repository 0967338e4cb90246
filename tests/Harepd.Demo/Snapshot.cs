using Harepd.Core.Model;

namespace Harepd.Demo;

/// <summary>How the cluster looks to its clients at one moment.</summary>
internal sealed record Snapshot(Instant At, IReadOnlyList<NodeSnapshot> Nodes, TimeSpan SinceLastWrite, int WritesAcknowledged, int WritesFailed);

/// <summary>One node.</summary>
/// <param name="Role">What PostgreSQL says it is: primary, standby, witness, down.</param>
/// <param name="Timeline">0 when unknown.</param>
/// <param name="Gate">What a client gets that comes straight to the server: writes, reads only, refused, no answer.</param>
/// <param name="Daemon">Running or not.</param>
/// <param name="Lease">What the daemon says about the lease.</param>
/// <param name="Write">HAProxy's state of the server for writers.</param>
/// <param name="Read">HAProxy's state of the server for readers.</param>
internal sealed record NodeSnapshot(
    string Name, string Address, string Role, uint Timeline, string Gate, string Daemon, string Lease, string Write, string Read);
