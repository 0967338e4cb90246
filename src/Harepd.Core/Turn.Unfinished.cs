using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>
/// A planned move whose daemon died in the middle: the next run finds what was kept of it. A server that is as it was left is brought back by the move's own way back: as a
/// standby of whoever took over, or under the lease as the primary it was. Anything else is left to the ordinary rules.
/// </summary>
internal sealed partial class Turn
{
    /// <summary>A note from before the server's end was known counts no longer than a move can take until then.</summary>
    private static readonly TimeSpan NoteWithoutEnd = TimeSpan.FromMinutes(15);

    private void SettleUnfinished()
    {
        if (_state.Unfinished is not { } kept || _state.IsStopping)
        {
            return;
        }

        var server = _state.Server;
        switch (server.Health)
        {
            // A server that stops, or starts, says so for a while; that nobody listens, or that a postmaster ended, is told before its control file is read.
            case ServerHealth.Unknown or ServerHealth.Starting or ServerHealth.Hung or ServerHealth.SlotsFull:
            case ServerHealth.Down when server.OnDisk is null && now < _state.UnfinishedUntil:
                break;
            case ServerHealth.StoppedCleanly when Misfit(kept, server) is { } reason:
                Forget(reason);
                break;
            case ServerHealth.StoppedCleanly:
                ResumeMove(kept, server.OnDisk!.End);
                break;
            default:
                Forget($"the server is not stopped as the move left it: {Describe(server)}");
                break;
        }
    }

    private string? Misfit(KeptMove kept, ServerObservation server) =>
        settings.Failover.Promoter != Promoter.Harepd ? "failover.manager is not harepd any more"
        : server.OnDisk is not { } ended ? "where the server ended cannot be read"
        : ended.IsStandby ? "somebody made the stopped server a standby"
        : server.SystemId != kept.System || ended.Timeline.Timeline != kept.Timeline.Timeline
            ? $"the data folder is on timeline {ended.Timeline} of system {server.SystemId}, the move left {kept.Timeline} of {kept.System}"
        : kept.End != default && ended.End != kept.End ? $"the server ended before {ended.End}, the move left it before {kept.End}: somebody ran it meanwhile"
        : kept.End == default && now - kept.Began > NoteWithoutEnd ? "it began too long ago"
        : null;

    /// <summary>Goes on where a move is that lost its lease: nothing is started before somebody holds one.</summary>
    private void ResumeMove(KeptMove kept, Lsn end)
    {
        var move = new Move
        {
            Order = new MoveOrder(0, kept.IsRestart ? "" : kept.ToName, MoveOrder.DefaultPause, IsDryRun: false) { IsRestart = kept.IsRestart },
            Number = kept.Number,
            To = kept.To,
            ToName = kept.ToName,
            Term = kept.Term,
            Under = new Candidacy(kept.Timeline, kept.System),
            Began = Instant.Min(kept.Began, now),
            StepBegan = now,
            End = end,
            Step = MoveStep.Stop,
            Trouble = "the daemon ended in the middle",
        };
        var isHalted = kept.HaltedUntil != Instant.Zero;
        if (isHalted && (now >= kept.HaltedUntil || _state.Lease!.Held is null))
        {
            Forget(now >= kept.HaltedUntil
                ? "the time for which it was stopped by order is over"
                : "it was stopped by order, and the lease for that ended while no daemon ran; harepd start starts it");
            return;
        }

        _state = _state with { Unfinished = null };
        Note(DecisionKind.MoveResumed, kept.Term, settings.NodeName, kept.ToName, $"the server was left stopped, before {end} on timeline {kept.Timeline}", actor: DecisionActor.Operator);
        if (isHalted)
        {
            Begin(move with { Term = _state.Lease!.Held!.Term, HaltEnds = kept.HaltedUntil }, MoveStep.Halt);
        }
        else
        {
            Begin(move, MoveStep.TakeBack);
        }
    }

    private void Forget(string reason)
    {
        if (_state.Unfinished is { } kept)
        {
            _state = _state with { Unfinished = null };
            var what = $"what an earlier run left of {(kept.IsRestart ? "a restart" : "a planned move")} is forgotten: {reason}";
            Note(DecisionKind.MoveForgotten, kept.Term, settings.NodeName, kept.ToName, what, actor: DecisionActor.Operator);
        }
    }

    private static KeptMove? NoteOf(Move? move) => move is not { IsOver: false } || move.Step == MoveStep.Consult ? null : new KeptMove
    {
        Number = move.Number,
        IsRestart = move.Order.IsRestart,
        To = move.To,
        ToName = move.ToName,
        Term = move.Term,
        Timeline = move.Under.Timeline,
        System = move.Under.System,
        End = move.End,
        HaltedUntil = move.Step is MoveStep.Prepare or MoveStep.Shut or MoveStep.Stop or MoveStep.Halt ? move.HaltEnds : Instant.Zero,
        Began = move.Began,
    };

    /// <summary>What is kept over a restart.</summary>
    private static DurableMemory MemoryOf(NodeState state) => new()
    {
        Failovers = state.Promotion.Failovers,
        CountedTerm = state.Promotion.CountedTerm,
        PauseNumber = state.Promotion.PauseNumber,
        PausedUntil = state.Promotion.PausedUntil,
        MaintainedUntil = state.Orders.MaintainedUntil,
        FencedUntil = state.Orders.FencedUntil,
        IsStopped = state.Orders.Stop is { Step: not StopStep.Shut },
        Move = state.Unfinished ?? NoteOf(state.Move),
        Scheduled = state.Scheduled is { } scheduled ? new KeptSchedule(scheduled.Order.To, scheduled.Order.Pause, scheduled.Order.IsRestart, scheduled.Due) : null,
    };
}
