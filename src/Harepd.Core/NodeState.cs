using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>All that a node knows and wants at one moment. Immutable.</summary>
public sealed record NodeState
{
    /// <summary>The voter's memory; null in a process without a voter.</summary>
    public VoterState? Voter { get; init; }

    /// <summary>The candidate's state; null in a process without a candidate.</summary>
    public LeaseState? Lease { get; init; }

    /// <summary>The local server as last seen.</summary>
    public required ServerObservation Server { get; init; }

    /// <summary>Since when the server has been in a trouble that is borne for a while; null when in none.</summary>
    public Instant? TroubleSince { get; init; }

    /// <summary>Observations begun at or before this instant are older than a death that was seen, and do not count.</summary>
    public Instant IgnoreBefore { get; init; }

    public ClusterView View { get; init; } = ClusterView.Empty;

    public GateState Gate { get; init; } = new();

    /// <summary>The deadline that watchdog and guard were told last by this run; zero before the first word and when disarmed.</summary>
    public Instant ArmedUntil { get; init; }

    /// <summary>What HAProxy was told last; null before the first word.</summary>
    public Route? Route { get; init; }

    public Term RouteTerm { get; init; }

    /// <summary>Where poolers were told last that the writer is; null before the first word and while there is none.</summary>
    public WriterPlace? Writer { get; init; }

    /// <summary>The highest term known, from anybody; stamps effects that need no lease.</summary>
    public Term HighestTerm { get; init; }

    /// <summary>Votes that wait for a timeline to reach the disk. Bounded by <see cref="MaxWaitingVotes"/>.</summary>
    public ImmutableArray<Input.VoteAsked> WaitingVotes { get; init; } = [];

    /// <summary>The timeline on its way to the disk; null when none.</summary>
    public DurableTimeline? SavingTimeline { get; init; }

    /// <summary>Who was noted last as serving writers; null before the first.</summary>
    public SeenHolder? Serving { get; init; }

    public NodeReport? LastReport { get; init; }

    public long ReportVersion { get; init; }

    public Instant NextShare { get; init; }

    /// <summary>The planned move under way, or the last one; null before the first.</summary>
    public Move? Move { get; init; }

    /// <summary>The return of an old primary as a standby.</summary>
    public Rejoin Rejoin { get; init; } = new();

    /// <summary>The own server's crashes.</summary>
    public CrashState Crash { get; init; } = new();

    /// <summary>Number of the last order to the server or to HAProxy's hold.</summary>
    public long OrderSequence { get; init; }

    /// <summary>Whether the guard process looks at the lease; null before the first word.</summary>
    public bool? IsGuardLooking { get; init; }

    public bool IsAlarmed { get; init; }

    public bool IsRogue { get; init; }

    /// <summary>While the voter's note of timelines is lost: whom it has heard about theirs; null otherwise.</summary>
    public TimelineHearing? Hearing { get; init; }

    /// <summary>Standby reads are allowed now (lag hysteresis).</summary>
    public bool IsReadable { get; init; }

    /// <summary>A standby that was taken from readers is not given back before this.</summary>
    public Instant ReadsNotBefore { get; init; }

    /// <summary>Since when the standby does not stream; null while it does.</summary>
    public Instant? StreamLostAt { get; init; }

    public bool IsStopping { get; init; }

    /// <summary>A planned move that waits for its time; null without one.</summary>
    public ScheduledMove? Scheduled { get; init; }

    /// <summary>What an earlier run left of a planned move, until it is known whether the server still is as it was left; null without one.</summary>
    public KeptMove? Unfinished { get; init; }

    /// <summary>A server that is down and whose disk says nothing is waited for until then, before that is left alone.</summary>
    public Instant UnfinishedUntil { get; init; }

    /// <summary>What an operator ordered of this node alone.</summary>
    public LocalOrders Orders { get; init; } = new();

    /// <summary>What matters to a failover only: whom it would replace, the verdict, the promotion under way.</summary>
    public PromotionState Promotion { get; init; } = new();

    /// <summary>What the own primary waits for, and what the voters know of it.</summary>
    public SynchronyState Synchrony { get; init; } = new();

    /// <summary>The highest question how far this standby received; null before the first.</summary>
    public PositionQuestion? Positions { get; init; }

    /// <summary>The refusal recorded last, so that the same one is not recorded each time.</summary>
    public RefusalReason RecordedRefusal { get; init; }

    /// <summary>The instant the current step reads, for the next one's lateness.</summary>
    public Instant LastStep { get; init; }

    /// <summary>How many votes may wait for the disk; more are refused at once.</summary>
    public const int MaxWaitingVotes = 16;
}

/// <summary>What the gate is, what it was asked to be, and whether the answer is in.</summary>
public sealed record GateState
{
    /// <summary>What it is, as last confirmed; meaningless while not <see cref="IsKnown"/>.</summary>
    public Gate Now { get; init; } = Gate.ReadWrite;

    /// <summary>False at a start without memory: what an earlier run left open is not known to be shut.</summary>
    public bool IsKnown { get; init; }

    /// <summary>What was asked for last; null before the first time.</summary>
    public Gate? Asked { get; init; }

    /// <summary>When it was asked for first, of the times in a row that it was.</summary>
    public Instant AskedAt { get; init; }

    public Term AskedTerm { get; init; }

    /// <summary>Number of the operation asked last; answers to earlier ones do not count.</summary>
    public long Sequence { get; init; }

    /// <summary>The operation asked last has not been answered yet.</summary>
    public bool IsPending { get; init; }

    /// <summary>When a failed operation is tried again, or a standing gate verified.</summary>
    public Instant NextLook { get; init; }

    /// <summary>Why the gate is as it is.</summary>
    public string Reason { get; init; } = "not looked at yet";

    /// <summary>No ordinary client can write here: confirmed, and nothing asked for that would open.</summary>
    public bool IsShutForWrites => IsKnown && Now != Gate.ReadWrite && Asked is not (null or Gate.ReadWrite);
}

/// <summary>A member that holds the lease with its gate open, by its own word.</summary>
/// <param name="Term">Of that lease.</param>
/// <param name="Name">Of the node.</param>
/// <param name="Timeline">What its server writes.</param>
public sealed record SeenHolder(Term Term, string Name, TimelinePoint Timeline);
