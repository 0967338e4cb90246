using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Share;

/// <summary>
/// A node's dated statement about itself. Advice to the others, never law: no report opens a gate.
/// Of two reports of one member the one with the higher (<see cref="Version"/>, <see cref="Incarnation"/>) counts.
/// </summary>
public sealed record NodeReport
{
    public required MemberId Member { get; init; }

    public required Incarnation Incarnation { get; init; }

    /// <summary>Grows with each statement; begins near the unix time in microseconds so that it grows over restarts, too.</summary>
    public required long Version { get; init; }

    /// <summary>How old the statement was when it was sent to us, at the least.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>The repmgr node name from the configuration; empty on a witness without one.</summary>
    public string NodeName { get; init; } = "";

    /// <summary>The replication address (<c>primaryIP</c>); empty when it has none.</summary>
    public string Address { get; init; } = "";

    /// <summary>True for a member without data.</summary>
    public bool IsWitness { get; init; }

    public ServerHealth Health { get; init; }

    public bool? InRecovery { get; init; }

    public TimelinePoint Timeline { get; init; }

    public SystemId System { get; init; }

    public Lsn WriteLsn { get; init; }

    public Lsn ReplayLsn { get; init; }

    public TimeSpan? ReplayDelay { get; init; }

    public bool IsStreaming { get; init; }

    public string UpstreamHost { get; init; } = "";

    /// <summary>The gate as last confirmed.</summary>
    public Gate Gate { get; init; }

    /// <summary>The term under which this member holds the lease; none when it does not.</summary>
    public Term HeldTerm { get; init; }

    /// <summary>Why the gate is as it is, one sentence.</summary>
    public string Reason { get; init; } = "";

    /// <summary>True when the member's server takes writes although it holds no lease.</summary>
    public bool IsRogue { get; init; }

    /// <summary>The gate is confirmed shut for writes, nothing that opens it is asked for, and no lease is being given up.</summary>
    public bool IsShut { get; init; }

    /// <summary>Standby: it could be promoted now, as far as it knows itself.</summary>
    public bool IsPromotable { get; init; }

    /// <summary>Its server crashed, and starting it again where it is has failed or must wait: with onCrash restart nobody need wait for it.</summary>
    public bool IsGivenUp { get; init; }

    /// <summary>
    /// Standby, while the lease is free: why it does not take over, or that it does. Primary: the planned move that is under way or waits for its time. One sentence,
    /// empty when there is nothing to say.
    /// </summary>
    public string Failover { get; init; } = "";

    /// <summary>Among equally advanced standbys the highest goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Standby: how long before the statement its WAL receiver had got its last message; null when unknown.</summary>
    public TimeSpan? UpstreamSilence { get; init; }

    /// <summary>PostgreSQL's port at <see cref="Address"/>; 0 when unknown.</summary>
    public int ServerPort { get; init; }

    /// <summary>Holder: how long ago it took over by itself under this lease; null when it did not.</summary>
    public TimeSpan? PromotedAge { get; init; }

    /// <summary>Holder in a planned move: what it offers whom; null outside of one.</summary>
    public HandoverOffer? Offer { get; init; }

    /// <summary>Standby: its answer to such an offer; null without one.</summary>
    public HandoverAnswer? OfferAnswer { get; init; }

    /// <summary>The pause that this member knows of, over or not; null before the first.</summary>
    public FailoverPause? Pause { get; init; }

    /// <summary>What an operator ordered of this member alone; null without an order.</summary>
    public OrdersTold? Orders { get; init; }

    /// <summary>
    /// The timeline that this member's voter has noted on its disk, none being a value too; null when unknown. Where voter and candidate are two processes
    /// it is older than the statement, and keeps its own age.
    /// </summary>
    public DurableTimeline? Noted { get; init; }

    /// <summary>How old <see cref="Noted"/> was when it was sent to us, at the least.</summary>
    public TimeSpan NotedAge { get; init; }

    /// <summary>The <see cref="Version"/> with which <see cref="Noted"/> was stated.</summary>
    public long NotedVersion { get; init; }

    /// <summary>Standby: <see cref="WriteLsn"/> is all that it has; before its own WAL is replayed it may have more than it says.</summary>
    public bool HasReceived { get; init; }

    /// <summary>
    /// A candidate whose promises are a majority asks every standby how far it received, after now: the lease of before is over (ADR 0018). None otherwise.
    /// </summary>
    public Ballot AsksPositions { get; init; }

    /// <summary>The highest such question that was heard before the reading in this report was begun.</summary>
    public Ballot SeenAfter { get; init; }

    /// <summary>On a primary: what it waits for, by the settings in force; for people.</summary>
    public string InForce { get; init; } = "";

    /// <summary>Holder: what a majority of the voters noted of that; for people.</summary>
    public string Stated { get; init; } = "";

    /// <summary>On a primary: the standbys that replicate synchronously, by name, in order, parted by commas.</summary>
    public string Synchronous { get; init; } = "";

    /// <summary>On a primary: those of a quorum, in the same form.</summary>
    public string Quorum { get; init; } = "";
}
