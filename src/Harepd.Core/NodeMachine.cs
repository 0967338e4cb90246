using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>
/// One node as a pure function: what it knew, what happened and the one clock reading of the step give what it knows now and what to do.
/// No I/O, no clock, no randomness of its own; the daemon, the simulator and the explorer drive this same code (ADR 0001).
/// </summary>
public static class NodeMachine
{
    /// <summary>The state at the start of a run.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="start">What this run found: its identity, what it resumed, what was on disk.</param>
    /// <param name="now">The clock.</param>
    public static NodeState Create(NodeSettings settings, NodeStart start, Instant now)
    {
        // A voter that lost its memory still knows the term on its disk, and says so when it refuses: terms must not fall (R11).
        var voter = start.Voter ?? new VoterState
        {
            AbstainUntil = now + settings.Lease.AbstainFor,
            Highest = Ballot.OfTerm(start.TermOnDisk),
        };
        var lease = start.Lease ?? new LeaseState
        {
            Me = new LeaseOwner(settings.Self, start.Incarnation),
            RoundFloor = Math.Max(start.UnixMillis, start.TermOnDisk.Value),
            RoundFloorAt = now,
            Seed = start.Incarnation.Value | 1,
        };

        var isLost = settings.HasVoter && start.Timeline.IsNone && !start.IsTimelineTrusted && settings.Membership.Everyone.Count > 1;
        return new NodeState
        {
            Voter = settings.HasVoter ? voter with { Timeline = start.Timeline, IsTimelineLost = isLost } : null,
            Hearing = isLost ? new TimelineHearing(now + settings.Lease.AbstainFor) : null,
            Lease = settings.HasCandidate ? lease with { Attempt = null, Releasing = null } : null,
            Server = new ServerObservation { At = now, Health = ServerHealth.Unknown },
            Gate = new GateState { Now = start.GateOnDisk },
            HighestTerm = lease.Held is { } held && held.Term > start.TermOnDisk ? held.Term : start.TermOnDisk,
            ReportVersion = start.UnixMillis * 1000,
            NextShare = now,
            Promotion = new PromotionState
            {
                IsPending = start.IsPromotionPending,
                Failovers = start.Memory.Failovers,
                CountedTerm = start.Memory.CountedTerm,
                PauseNumber = start.Memory.PauseNumber,
                PausedUntil = start.Memory.PausedUntil,
            },
            Orders = new LocalOrders
            {
                MaintainedUntil = start.Memory.MaintainedUntil,
                FencedUntil = start.Memory.FencedUntil,
                Stop = start.Memory.IsStopped ? new ServerStop(0, StopStep.Down, now, now) : null,
            },
            Unfinished = start.Memory.Move,
            UnfinishedUntil = now + settings.Moves.Start,
            Scheduled = start.Memory.Scheduled is { } kept ? new ScheduledMove(new MoveOrder(0, kept.To, kept.Pause, IsDryRun: false) { IsRestart = kept.IsRestart }, kept.Due) : null,
            // Just before, so that the first tick is due at once: what was resumed may be over already.
            LastStep = now - TimeSpan.FromTicks(1),
        };
    }

    /// <summary>
    /// One step. The effects are in the order in which they are to be begun: close, save, send, open, record.
    /// </summary>
    public static NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now)
    {
        var turn = new Turn(state, settings, now);
        turn.Take(input);
        turn.Settle();
        return turn.Finish();
    }

    /// <summary>When the machine wants its next <see cref="Input.Tick"/>, at the latest.</summary>
    public static Instant NextTick(NodeState state, NodeSettings settings)
    {
        // Never later than this, so that stale observations and reports are noticed.
        var last = state.LastStep;
        var next = Instant.NextAfter(last, last + TimeSpan.FromMilliseconds(500), state.NextShare);
        return state.Lease is not { } lease ? next : Instant.NextAfter(
            last,
            next,
            LeaseMachine.NextTick(lease, settings.Rules, last),
            state.Gate.IsPending ? Instant.Forever : state.Gate.NextLook,
            state.Promotion.NextWake,
            state.Rejoin.NextWake,
            state.Crash.NextWake,
            state.Orders.MaintainedUntil,
            state.Orders.FencedUntil,
            state.Orders.Awaited?.Ends ?? Instant.Forever,
            state.Orders.Stop?.StepEnds ?? Instant.Forever,
            state.Orders.Start?.Ends ?? Instant.Forever,
            state.Scheduled?.Due ?? Instant.Forever,
            state.Move is { IsOver: false } move ? Instant.NextAfter(last, move.StepEnds, move.AskAt) : Instant.Forever);
    }

    /// <summary>
    /// True once a stop has been carried through: gate shut, lease released or never held, and the release noted by the own voter and by a majority, or
    /// <see cref="LeaseSettings.ElectionTimeout"/> waited for them. A voter that has not noted it refuses everybody else until the lease's time is over.
    /// </summary>
    public static bool IsStopped(NodeState state, NodeSettings settings) => state.IsStopping && (state.Lease is not { } lease
        || (state.Gate is { IsKnown: true, Now: Gate.Fenced, IsPending: false } && lease is { Held: null, IsYielding: false } && IsReleased(lease, settings, state.LastStep)));

    private static bool IsReleased(LeaseState lease, NodeSettings settings, Instant now)
    {
        if (lease.Releasing is not { } releasing)
        {
            return true;
        }

        var heard = settings.Membership.Everyone.Except(releasing.Unheard);
        var isNoted = settings.Membership.IsMajority(heard) && (!settings.HasVoter || heard.Contains(settings.Self));
        return isNoted || now >= releasing.Until - settings.Lease.Duration + settings.Lease.ElectionTimeout;
    }
}

/// <summary>What a run of the daemon finds when it starts.</summary>
public sealed record NodeStart
{
    /// <summary>Random, fresh for each run that does not resume.</summary>
    public required Incarnation Incarnation { get; init; }

    /// <summary>The wall clock, for the first round (R11); milliseconds since 1970.</summary>
    public required long UnixMillis { get; init; }

    /// <summary>The voter's memory of this same boot; null makes it abstain (R7).</summary>
    public VoterState? Voter { get; init; }

    /// <summary>The candidate's memory of this same boot, with its own incarnation; null makes it a new owner (R7).</summary>
    public LeaseState? Lease { get; init; }

    /// <summary>The durable timeline from disk; default when there is none.</summary>
    public DurableTimeline Timeline { get; init; }

    /// <summary>An operator said that there is no timeline to be remembered: nobody needs to be heard first.</summary>
    public bool IsTimelineTrusted { get; init; }

    /// <summary>The gate that the managed block on disk shows; <see cref="Gate.ReadWrite"/> when in doubt.</summary>
    public Gate GateOnDisk { get; init; } = Gate.ReadWrite;

    /// <summary>An earlier run told this very run of the server to promote itself.</summary>
    public bool IsPromotionPending { get; init; }

    /// <summary>What an earlier run kept; empty when there is nothing.</summary>
    public DurableMemory Memory { get; init; } = new();

    /// <summary>The term that the managed block on disk carries.</summary>
    public Term TermOnDisk { get; init; }
}

/// <summary>The next state and what to do.</summary>
public readonly record struct NodeStep(NodeState State, ImmutableArray<Effect> Effects);
