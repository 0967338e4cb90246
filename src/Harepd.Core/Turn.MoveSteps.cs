using System.Globalization;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>The steps of a planned move: what each asks for, the answers that come in, and what is told about it.</summary>
internal sealed partial class Turn
{
    private void TakeHold(Input.HoldSettled hold)
    {
        if (_state.Move is { IsOver: false, Step: MoveStep.Hold } move && move.Awaited == hold.Sequence)
        {
            _state = _state with
            {
                Move = move with { Held = hold.IsHeld ? "new clients wait" : $"clients are cut: {hold.Detail}", StepEnds = Instant.Min(move.StepEnds, now + settings.Moves.Ready) },
            };
        }
    }

    private void TakeOrderDone(Input.OrderDone done)
    {
        if (_state.Move is not { IsOver: false } move || move.Awaited != done.Sequence)
        {
            return;
        }

        var hasLease = _state.Lease!.Held?.Term == move.Term;
        switch (move.Step)
        {
            case MoveStep.Consult when done.IsDone:
                Enter(move, MoveStep.Prepare, done.Detail);
                break;
            case MoveStep.Consult:
                EndMove(move, MoveOutcome.Refused, done.Detail);
                break;
            case MoveStep.Prepare when done.IsDone:
                // Nobody is held for as long as a stop lasts.
                Enter(move, move.Order.Halt > TimeSpan.Zero ? MoveStep.Shut : MoveStep.Hold, done.Detail);
                break;
            case MoveStep.Prepare:
                EndMove(move, MoveOutcome.TakenBack, done.Detail);
                break;
            case MoveStep.Stop when done.IsDone:
                NoteStopped(done.End);
                var next = move.Order.Halt > TimeSpan.Zero ? MoveStep.Halt : move.Order.IsRestart ? MoveStep.Restart : MoveStep.HandOver;
                Enter(move with { End = done.End }, hasLease ? next : MoveStep.TakeBack, done.Detail);
                break;
            case MoveStep.Stop:
                Fail(move, done.Detail, hasLease ? MoveStep.Restart : MoveStep.TakeBack);
                break;
            case MoveStep.Restart when !done.IsDone:
                EndMove(move, MoveOutcome.Failed, done.Detail);
                break;
            case MoveStep.Rejoin when !done.IsDone:
                EndMove(move with { Trouble = done.Detail }, MoveOutcome.Moved, $"{move.ToName} is the primary; this node is not back as a standby: {done.Detail}");
                break;
            case MoveStep.Restart or MoveStep.Rejoin:
                _sends.Add(new Effect.Look());
                break;
            default:
                break;
        }
    }

    /// <summary>The others must not take the end of the postmaster for a crash: they would take over themselves.</summary>
    private void NoteStopped(Lsn end) => _state = _state with
    {
        Server = new ServerObservation
        {
            At = now,
            Health = ServerHealth.StoppedCleanly,
            SystemId = _state.Move!.Under.System,
            Timeline = _state.Move.Under.Timeline,
            WriteLsn = end,
            Detail = "stopped by a planned move",
        },
        IgnoreBefore = now,
    };

    private void Fail(Move move, string trouble, MoveStep next)
    {
        Tell(move, MoveEventKind.StepFailed, now - move.StepBegan, trouble);
        Begin(move with { Trouble = move.Trouble.Length > 0 ? move.Trouble : trouble }, next);
    }

    private void Enter(Move move, MoveStep step, string detail)
    {
        Tell(move, MoveEventKind.StepDone, now - move.StepBegan, detail);
        Begin(move, step);
    }

    /// <summary>Begins a step: its deadline, and what it asks for.</summary>
    private void Begin(Move move, MoveStep step)
    {
        var next = move with { Step = step, StepBegan = now, Awaited = 0, AskAt = Instant.Forever };
        next = step switch
        {
            MoveStep.Consult => Ask(next with { StepEnds = now + (settings.MoveHook ?? TimeSpan.Zero) + settings.Moves.Spare }, AskHook),
            MoveStep.Prepare => Ask(next with { StepEnds = now + settings.Moves.Checkpoint }, AskToPrepare),
            MoveStep.Hold => Ask(next with { StepEnds = now + settings.Moves.Hold, PausedAt = now, PauseEnds = now + move.Order.Pause }, AskToHold),
            MoveStep.Shut => next with { StepEnds = now + settings.Lease.Duration, PauseEnds = Instant.Min(next.PauseEnds, now + move.Order.Pause) },
            MoveStep.Halt => Halt(next),
            // The order itself ends first: what cannot be stopped is stopped at once, and that is told.
            MoveStep.Stop => Ask(next with { StepEnds = move.PauseEnds + settings.Moves.Spare }, AskToStop),
            MoveStep.HandOver => next with { StepEnds = move.PauseEnds },
            MoveStep.TakeOver => next with { StepEnds = now + settings.Failover.PromoteTimeout + settings.Moves.Spare },
            MoveStep.Rejoin => next with { StepEnds = now + (next.StartLimit ?? settings.Moves.Start), AskAt = now + settings.Moves.Breath },
            MoveStep.Restart => Ask(next with { StepEnds = now + (next.StartLimit ?? settings.Moves.Start) }, AskToRestart),
            MoveStep.TakeBack when next.StartLimit is { } limit => next with { StepEnds = now + limit },
            MoveStep.Reopen => next with { StepEnds = now + settings.Moves.Start },
            // Until somebody holds the lease: there is nothing better to do.
            _ => next with { StepEnds = Instant.Forever },
        };
        if (_state.Move is { IsOver: true } ended && ended.Number == move.Number)
        {
            return;
        }

        _state = _state with { Move = next };
        var what = $"to {next.ToName}{(next.Trouble.Length > 0 ? $"; {next.Trouble}" : "")}";
        Note(DecisionKind.MoveStep, next.Term, move.Step.ToString(), step.ToString(), what, now - move.StepBegan, move.Order.Actor);
        Tell(next, MoveEventKind.StepBegan, TimeSpan.Zero, "");
    }

    /// <summary>Whoever ordered it has what was wanted, and does not wait for the end.</summary>
    private Move Halt(Move move)
    {
        var left = move.HaltEnds > now ? move.HaltEnds - now : TimeSpan.Zero;
        EndLocal(move.Order.Id, MoveOutcome.Stopped, now - move.Began, $"the lease is kept for {left:d\\.hh\\:mm\\:ss}, and nobody takes over; harepd start starts it again");
        return move with { StepEnds = move.HaltEnds };
    }

    private Move Ask(Move move, Func<Move, long, Effect?> effectOf)
    {
        var sequence = _state.OrderSequence + 1;
        _state = _state with { OrderSequence = sequence };
        var effect = effectOf(move, sequence);
        if (effect is not null)
        {
            (effect is Effect.EngageHold or Effect.StopServer ? _closes : _opens).Add(effect);
        }

        return move with { Awaited = sequence };
    }

    private Effect.ConsultHook AskHook(Move move, long sequence) => new(sequence, move.Term, move.ToName, move.StepEnds - settings.Moves.Spare);

    private Effect.PrepareMove AskToPrepare(Move move, long sequence)
    {
        if (move.Order.IsRestart)
        {
            return new Effect.PrepareMove(sequence, move.Term, "", 0, move.StepEnds);
        }

        var to = _state.View.Reports[move.To].Report;
        return new Effect.PrepareMove(sequence, move.Term, to.Address, to.ServerPort, move.StepEnds);
    }

    private Effect.EngageHold AskToHold(Move move, long sequence) => new(sequence, move.Term, move.PauseEnds);

    private Effect.StopServer AskToStop(Move move, long sequence) => new(sequence, move.Term, now + (move.PauseEnds - now) / 2);

    private Effect.StartServer AskToRestart(Move move, long sequence) => new(sequence, move.Term, "", 0, move.StepEnds);

    private Effect.StartServer? AskToRejoin(Move move, long sequence)
    {
        var holder = move.Successor!;
        if (move.End == default || holder.Timeline.SwitchLsn < move.End || _state.Server.Health is ServerHealth.Running or ServerHealth.Starting)
        {
            EndMove(
                move with { Trouble = "not back as a standby" },
                MoveOutcome.Moved,
                move.Order.Actor == DecisionActor.Daemon ? $"{move.ToName} took over first"
                    : $"{move.ToName} is the primary; this node must be rejoined by hand: it is not known to end before {move.ToName} went on");
            return null;
        }

        return new(sequence, holder.HeldTerm, holder.Address, holder.ServerPort, move.StepEnds);
    }

    private void EndMove(Move move, MoveOutcome outcome, string detail)
    {
        if (move.Order.Actor == DecisionActor.Daemon && outcome == MoveOutcome.Failed)
        {
            _state = _state with { Crash = _state.Crash with { IsGivenUp = true } };
        }

        // A release that is not needed does nothing.
        if (move.PausedAt != Instant.Zero)
        {
            _opens.Add(new Effect.ReleaseHold(_state.OrderSequence + 1));
        }

        var isGood = outcome is MoveOutcome.Stopped || (outcome is MoveOutcome.Moved or MoveOutcome.Restarted && move.Trouble.Length == 0);
        Tell(move, isGood || move.Step == MoveStep.Reopen ? MoveEventKind.StepDone : MoveEventKind.StepFailed, now - move.StepBegan, detail);
        var reason = move.Trouble.Length > 0 && move.Trouble != detail ? $"{move.Trouble}; {detail}" : detail;
        var isOpenAgain = outcome is MoveOutcome.Moved or MoveOutcome.TakenBack or MoveOutcome.Restarted && move.PausedAt != Instant.Zero;
        var openedAt = outcome == MoveOutcome.Moved && move.Step == MoveStep.Rejoin ? move.StepBegan : now;
        _records.Add(new Effect.TellMove(new MoveEvent(move.Order.Id, MoveEventKind.Ended, outcome.ToString(), now - move.Began, reason)
        {
            Outcome = outcome,
            Pause = isOpenAgain ? openedAt - move.PausedAt : TimeSpan.Zero,
        }));
        Note(DecisionKind.MoveEnded, move.Term, move.Step.ToString(), outcome.ToString(), reason, now - move.Began, move.Order.Actor);
        _state = _state with { OrderSequence = _state.OrderSequence + 1, Move = move with { Outcome = outcome, StepEnds = Instant.Forever } };
    }

    private void Tell(Move move, MoveEventKind kind, TimeSpan took, string detail) => TellMove(move.Order.Id, kind, move.Step.ToString(), took, detail);

    private void TellMove(long order, MoveEventKind kind, string subject, TimeSpan took, string detail) =>
        _records.Add(new Effect.TellMove(new MoveEvent(order, kind, subject, took, detail)));
}
