using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core;

/// <summary>Everything of the configuration that the machine needs; does not change during a run.</summary>
public sealed record NodeSettings
{
    public required MemberId Self { get; init; }

    public required Membership Membership { get; init; }

    public LeaseSettings Lease { get; init; } = new();

    /// <summary>The process answers votes: every mode but client-only.</summary>
    public bool HasVoter { get; init; } = true;

    /// <summary>The process observes a server and may ask for the lease: a data node in any mode but server-only.</summary>
    public bool HasCandidate { get; init; } = true;

    /// <summary>This member has no data.</summary>
    public bool IsWitness { get; init; }

    public string NodeName { get; init; } = "";

    /// <summary>The node's replication address, <c>primaryIP</c>.</summary>
    public string Address { get; init; } = "";

    /// <summary>Without the guard process this member asks for no lease and gives up one that it holds.</summary>
    public bool RequiresGuard { get; init; }

    /// <summary>Whether a standby serves read-only traffic, <c>allowRO</c>.</summary>
    public bool AllowReads { get; init; }

    /// <summary>Standby reads stop above this much WAL received and not replayed, in bytes.</summary>
    public long MaxLagBytes { get; init; } = 16L << 20;

    /// <summary>Standby reads stop above this replay delay.</summary>
    public TimeSpan MaxLagTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a standby that was taken from readers must be well before it is given back.</summary>
    public TimeSpan ReadsSettle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>When readers are sent to the primary.</summary>
    public PrimaryReads PrimaryReads { get; init; }

    /// <summary>How often reports are shared when nothing changes.</summary>
    public TimeSpan ShareInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A report or observation older than this says nothing any more.</summary>
    public TimeSpan Freshness { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a holder's server may be starting (crash recovery in place) or unable to write before the lease is given up.</summary>
    public TimeSpan TroubleGrace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often an unchanged gate is verified on disk and in the server.</summary>
    public TimeSpan VerifyInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How soon a gate operation that failed is tried again.</summary>
    public TimeSpan GateRetry { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Who promotes, and when.</summary>
    public FailoverPolicy Failover { get; init; } = new();

    /// <summary>PostgreSQL's port at <see cref="Address"/>; what the other standbys follow. 0 when unknown.</summary>
    public int ServerPort { get; init; }

    /// <summary>How long the steps of a planned move may take.</summary>
    public MoveLimits Moves { get; init; } = new();

    /// <summary>For so long a planned move waits for the hook that may veto it; null where there is none.</summary>
    public TimeSpan? MoveHook { get; init; }

    /// <summary>Poolers are told where the writer is.</summary>
    public bool PointsClients { get; init; }

    /// <summary>How soon a standby that does not follow the holder is told again to.</summary>
    public TimeSpan FollowInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A member of which no new word came for so long is silent: two reports must have been lost.</summary>
    public TimeSpan SilentAfter => ShareInterval * 2;

    internal LeaseRules Rules => new(Membership, Lease);
}

/// <summary>When the holder of the lease serves readers too.</summary>
public enum PrimaryReads
{
    /// <summary>While no standby does.</summary>
    LastResort = 0,

    Always = 1,

    Never = 2,
}
