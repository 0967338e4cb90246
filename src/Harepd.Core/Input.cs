using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>Whatever can happen to the node machine. Closed set; each comes through the one mailbox.</summary>
public abstract record Input
{
    private Input()
    {
    }

    /// <summary>Time passed; sent at <see cref="NodeMachine.NextTick"/> or before.</summary>
    public sealed record Tick : Input;

    /// <summary>The Postgres room looked.</summary>
    public sealed record Observed(ServerObservation Server) : Input;

    /// <summary>The postmaster was seen to die: positive evidence, no waiting for a poll.</summary>
    public sealed record PostmasterDied(string Detail) : Input;

    /// <summary>A vote is asked of this member's voter; the answer goes out as <see cref="Act.Effect.Answer"/> with the same id.</summary>
    public sealed record VoteAsked(long RequestId, LeaseRequest Request) : Input;

    /// <summary>A voter answered. The edge has checked that the answer came from the member it names.</summary>
    public sealed record VoteAnswered(LeaseReply Reply) : Input;

    /// <summary>Reports came in from a peer, its own and those it knows.</summary>
    public sealed record Heard(ImmutableArray<NodeReport> Reports) : Input;

    /// <summary>A gate operation ended. Only the sequence asked last counts.</summary>
    /// <param name="Sequence">That of the effect.</param>
    /// <param name="Gate">What the gate is now, confirmed when <paramref name="IsConfirmed"/>.</param>
    /// <param name="IsConfirmed">The operation did all it had to.</param>
    /// <param name="Detail">What went wrong, or what was done; for people.</param>
    public sealed record GateApplied(long Sequence, Gate Gate, bool IsConfirmed, string Detail) : Input;

    /// <summary>Every HAProxy answered an <see cref="Act.Effect.EngageHold"/>, or could not be reached; at most a few command timeouts after it.</summary>
    /// <param name="Sequence">That of the effect.</param>
    /// <param name="IsHeld">At every HAProxy of the configuration new clients wait; false also when there is none.</param>
    /// <param name="Detail">Which one does not, and why; for people.</param>
    public sealed record HoldSettled(long Sequence, bool IsHeld, string Detail) : Input;

    /// <summary>A timeline reached the disk (fsync done).</summary>
    public sealed record TimelineSaved(DurableTimeline Timeline) : Input;

    /// <summary>A timeline could not be written to the disk; the votes that waited for it are answered "ask again".</summary>
    public sealed record TimelineNotSaved(DurableTimeline Timeline, string Detail) : Input;

    /// <summary>The lease watchdog fenced by itself because the machine was late; the machine must not believe it holds.</summary>
    public sealed record WatchdogFired(Term Term) : Input;

    /// <summary>A promotion was asked of the server, or could not be. What the server is now is seen by looking.</summary>
    /// <param name="Term">That of the effect.</param>
    /// <param name="IsAsked">The server has been told; false: nothing was done.</param>
    /// <param name="Detail">What was done, or why not; for people.</param>
    public sealed record PromotionAsked(Term Term, bool IsAsked, string Detail) : Input;

    /// <summary>An operator orders a planned move; answered by <see cref="Act.Effect.TellMove"/>, with an end in any case.</summary>
    public sealed record MoveOrdered(MoveOrder Order) : Input;

    /// <summary>An operator takes a planned move back that has not stopped the server yet; later it takes its course.</summary>
    public sealed record MoveCancelled(string Reason) : Input;

    /// <summary>An operator orders this standby to take over; answered by <see cref="Act.Effect.TellMove"/>, with an end in any case.</summary>
    public sealed record TakeoverOrdered(TakeoverOrder Order) : Input;

    /// <summary>An order to stop, start or prepare the server ended.</summary>
    /// <param name="Sequence">That of the effect.</param>
    /// <param name="IsDone">It did all it had to.</param>
    /// <param name="End">After a stop: a position that every server has received that has all of it; zero otherwise.</param>
    /// <param name="Detail">What was done, or why not; for people.</param>
    public sealed record OrderDone(long Sequence, bool IsDone, Lsn End, string Detail) : Input
    {
        /// <summary>It failed in a way that trying again could only make worse.</summary>
        public bool IsFinal { get; init; }
    }

    /// <summary>An operator wants no automatic failover for a while, on all members; zero ends it.</summary>
    public sealed record PauseOrdered(long Number, TimeSpan For) : Input;

    /// <summary>An operator orders that the returned old primary be made a standby, whatever the policy says; does nothing where there is none.</summary>
    public sealed record RejoinOrdered : Input;

    /// <summary>An operator orders something of this node alone; answered by <see cref="Act.Effect.TellMove"/>, with an end in any case.</summary>
    public sealed record LocalOrdered(LocalOrder Order) : Input;

    /// <summary>The guard process looks at the lease, or does not any more; told at the start and at each change, at most two seconds late.</summary>
    public sealed record GuardSeen(bool IsLooking) : Input;

    /// <summary>Stop cleanly: fence, release, then <see cref="NodeMachine.IsStopped"/>.</summary>
    public sealed record Stop(string Reason) : Input;
}
