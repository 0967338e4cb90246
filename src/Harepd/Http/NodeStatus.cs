using System.Collections.Immutable;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.History;

namespace Harepd.Http;

/// <summary>
/// What the deciding loop last knew, for everybody who asks from outside. Immutable; made anew by each step, so that its age is
/// the loop's heartbeat. It carries its own deadlines: an answer made from it turns to "no" by itself when they pass.
/// </summary>
internal sealed record NodeStatus
{
    /// <summary>When the deciding loop last turned, boot-time clock.</summary>
    public required Instant At { get; init; }

    /// <summary>The cluster's name (Patroni's <c>scope</c>).</summary>
    public required string Cluster { get; init; }

    /// <summary>This node's name.</summary>
    public required string Name { get; init; }

    /// <summary>Term of the lease held here; none when it is not.</summary>
    public Term HeldTerm { get; init; }

    /// <summary>Until when the lease held here may be used, boot-time clock; zero without one.</summary>
    public Instant LeaseDeadline { get; init; }

    /// <summary>Name of whoever holds the lease as far as known; empty when nobody is known to.</summary>
    public string HolderName { get; init; } = "";

    /// <summary>The gate as confirmed; <see cref="Gate.Fenced"/> while it is not known.</summary>
    public Gate Gate { get; init; }

    /// <summary>Why the gate is as it is, one sentence.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The local server; null on a witness.</summary>
    public ServerObservation? Server { get; init; }

    /// <summary>A standby here may serve reads: streaming, within the lag limit, with hysteresis.</summary>
    public bool IsReadable { get; init; }

    /// <summary>An operator put this node in maintenance: no readers are to come.</summary>
    public bool IsMaintained { get; init; }

    /// <summary>The standby is one that commits wait for.</summary>
    public bool IsSynchronous { get; init; }

    /// <summary>The standby is one of a quorum that commits wait for.</summary>
    public bool IsQuorum { get; init; }

    /// <summary>On a primary: how many standbys a commit waits for, by the settings in force.</summary>
    public int WaitsFor { get; init; }

    /// <summary>On the holder: how many standbys each acknowledged commit is on, as a majority of the voters noted.</summary>
    public int WaitsForNoted { get; init; }

    /// <summary>The server takes writes although this node holds no lease.</summary>
    public bool IsRogue { get; init; }

    /// <summary>An operator has suspended decisions.</summary>
    public bool IsPaused { get; init; }

    /// <summary>PostgreSQL has settings that wait for a restart.</summary>
    public bool IsRestartPending { get; init; }

    /// <summary>The holder's last known write position; zero when unknown.</summary>
    public Lsn HolderLsn { get; init; }

    /// <summary>When a majority was last heard, unix seconds; 0 when never.</summary>
    public long MajoritySeenUnix { get; init; }

    /// <summary>The operator's tags of this node.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Every member known, in any order, this one included.</summary>
    public ImmutableArray<MemberStatus> Members { get; init; } = [];

    /// <summary>Past failovers, oldest first; bounded by whoever keeps it.</summary>
    public ImmutableArray<HistoryEntry> History { get; init; } = [];

    /// <summary>What was decided here last, oldest first; bounded by whoever keeps it.</summary>
    public ImmutableQueue<HistoryLine> Decisions { get; init; } = [];

    /// <summary>The settings that <c>/config</c> shows, in a stable order.</summary>
    public ImmutableSortedDictionary<string, string> Config { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The lease is held here at this moment.</summary>
    internal bool HoldsLease(Instant now) => LeaseDeadline > now;

    /// <summary>The postmaster answers, even when every slot is taken or the disk is full.</summary>
    internal bool IsServerRunning => Server?.Health is ServerHealth.Running or ServerHealth.SlotsFull or ServerHealth.CannotWrite;
}

/// <summary>One member as this node sees it.</summary>
internal sealed record MemberStatus
{
    public required string Name { get; init; }

    public bool IsWitness { get; init; }

    public bool IsHolder { get; init; }

    public bool IsSynchronous { get; init; }

    /// <summary>By the holder's word, this standby is one of a quorum.</summary>
    public bool IsQuorum { get; init; }

    /// <summary>On a primary: names of its synchronous standbys, parted by commas.</summary>
    public string Synchronous { get; init; } = "";

    /// <summary>On a primary: names of those of a quorum.</summary>
    public string Quorum { get; init; } = "";

    /// <summary>Its report is too old to say anything about it.</summary>
    public bool IsSilent { get; init; }

    public ServerHealth Health { get; init; }

    public bool? InRecovery { get; init; }

    public bool IsStreaming { get; init; }

    /// <summary>Its PostgreSQL's address and port; empty and 0 when unknown.</summary>
    public string Host { get; init; } = "";

    public int Port { get; init; }

    /// <summary>Where its own status answers; empty when unknown.</summary>
    public string ApiUrl { get; init; } = "";

    public uint Timeline { get; init; }

    /// <summary>Holder: write position. Others: received.</summary>
    public Lsn ReceiveLsn { get; init; }

    public Lsn ReplayLsn { get; init; }

    public Gate Gate { get; init; }

    public string Reason { get; init; } = "";

    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>One past failover.</summary>
/// <param name="Timeline">The timeline that ended.</param>
/// <param name="SwitchLsn">Where it ended.</param>
/// <param name="Reason">PostgreSQL's or harepd's own sentence.</param>
/// <param name="At">When.</param>
/// <param name="NewHolder">Who took over.</param>
internal sealed record HistoryEntry(uint Timeline, Lsn SwitchLsn, string Reason, DateTimeOffset At, string NewHolder);
