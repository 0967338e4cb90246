using Harepd.Core.Model;

namespace Harepd.Core.Observe;

/// <summary>
/// What this node saw of its own PostgreSQL at one moment. Made by the Postgres room, never filled in from memory:
/// a field that could not be read is unknown (zero, null), and <see cref="Health"/> says why.
/// </summary>
public sealed record ServerObservation
{
    /// <summary>When the reading was *begun*, on the boot-time clock; freshness counts from here.</summary>
    public required Instant At { get; init; }

    public required ServerHealth Health { get; init; }

    /// <summary><c>pg_is_in_recovery()</c>; null when it could not be asked.</summary>
    public bool? InRecovery { get; init; }

    /// <summary>
    /// A standby whose promotion was asked for moments ago (the request's file was seen to appear); bounded by the room to a few seconds. Once it
    /// is out of recovery this says nothing any more.
    /// </summary>
    public bool WasAskedToPromote { get; init; }

    /// <summary>Timeline of the write position (primary) or of the received WAL (standby).</summary>
    public TimelinePoint Timeline { get; init; }

    public SystemId SystemId { get; init; }

    /// <summary>Primary: <c>pg_current_wal_lsn()</c>. Standby: last received position.</summary>
    public Lsn WriteLsn { get; init; }

    /// <summary>Standby: last replayed position; primary: as <see cref="WriteLsn"/>.</summary>
    public Lsn ReplayLsn { get; init; }

    /// <summary>Standby: time since the last replayed commit when WAL waits for replay, zero when caught up; null when unknown.</summary>
    public TimeSpan? ReplayDelay { get; init; }

    /// <summary>Standby: a WAL receiver is streaming. Primary: false.</summary>
    public bool IsStreaming { get; init; }

    /// <summary>Standby: host of the server it streams from, as <c>pg_stat_wal_receiver</c> shows it; empty when none.</summary>
    public string UpstreamHost { get; init; } = "";

    /// <summary>Standby: how long ago the WAL receiver got its last message; null when it has none or it is not known.</summary>
    public TimeSpan? UpstreamSilence { get; init; }

    /// <summary>
    /// Standby: everything it had on disk when it started was replayed, so that <see cref="WriteLsn"/> is all that it has. Before that it may have more.
    /// </summary>
    public bool HasReceived { get; init; }

    /// <summary>Primary: what the server waits for before it acknowledges, by the settings in force; null when unknown.</summary>
    public Synchrony? Synchrony { get; init; }

    /// <summary>
    /// Primary: the process that puts <c>synchronous_standby_names</c> in force for all sessions was seen idle, so it has taken in what was reloaded a
    /// moment before.
    /// </summary>
    public bool IsSynchronyTaken { get; init; }

    /// <summary>Primary: the standbys that stream from here.</summary>
    public IReadOnlyList<ReplicaLink> Replicas { get; init; } = [];

    /// <summary>When the postmaster began, UTC; null when unknown.</summary>
    public DateTime? PostmasterStarted { get; init; }

    /// <summary><c>server_version_num</c>, such as 150004; 0 when unknown.</summary>
    public int ServerVersion { get; init; }

    /// <summary>What the data folder of a server that is down says; null while it runs, and where that cannot be read.</summary>
    public DiskState? OnDisk { get; init; }

    /// <summary>One sentence for people when the health is not Running; free of secrets.</summary>
    public string Detail { get; init; } = "";

    /// <summary>True when the server takes writes as far as this reading can tell.</summary>
    public bool IsWritable => Health == ServerHealth.Running && InRecovery == false;

    /// <summary>A running standby that is about to take writes.</summary>
    public bool IsPromoting => Health == ServerHealth.Running && InRecovery == true && WasAskedToPromote;
}

/// <summary>What a data folder says of the server that was run on it last.</summary>
/// <param name="Timeline">That of its last checkpoint; one above 1 without where it left its parent is not known for certain.</param>
/// <param name="End">After a clean stop: whoever received up to here has everything (on a standby: what it replayed). Zero after another.</param>
/// <param name="IsStandby">It was stopped as a standby, or would come up as one.</param>
public sealed record DiskState(TimelinePoint Timeline, Lsn End, bool IsStandby);

/// <summary>One row of <c>pg_stat_replication</c> on a primary.</summary>
/// <param name="ApplicationName">The standby's name for itself.</param>
/// <param name="ClientAddress">Its address; empty for a unix socket.</param>
/// <param name="State"><c>streaming</c>, <c>catchup</c>, …</param>
/// <param name="SyncState"><c>async</c>, <c>sync</c>, <c>quorum</c>, <c>potential</c>.</param>
/// <param name="FlushLsn">Flushed there.</param>
/// <param name="ReplayLsn">Replayed there.</param>
public sealed record ReplicaLink(string ApplicationName, string ClientAddress, string State, string SyncState, Lsn FlushLsn, Lsn ReplayLsn);
