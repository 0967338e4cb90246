using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// A planned move as the primary's daemon drives it: prepare, hold, shut, stop, hand over, and back as a standby. The lease is kept until the standby has
/// everything, and released by the ordinary way. Whatever fails before leads back to the old primary in service (ADR 0014).
/// </summary>
internal sealed partial class Turn
{
    private const int MostStepsAtOnce = 6;

    private void SettleMove()
    {
        for (var i = 0; i < MostStepsAtOnce && _state.Move is { IsOver: false } move; i++)
        {
            Advance(move);
            if (_state.Move is { IsOver: true } || _state.Move!.Step == move.Step)
            {
                return;
            }
        }
    }

    private void Advance(Move move)
    {
        var hasLease = _state.Lease!.Held is { } held && held.Term == move.Term;
        if (_state.IsStopping)
        {
            // What stopped the server is kept: the next run brings it back.
            _state = _state with { Unfinished = move.IsShutting || move.Step == MoveStep.Rejoin ? NoteOf(move) : null };
            EndMove(move, MoveOutcome.Failed, "the daemon stops");
            return;
        }

        switch (move.Step)
        {
            case MoveStep.Consult or MoveStep.Prepare or MoveStep.Hold when !hasLease:
                EndMove(move, MoveOutcome.Failed, "the lease was lost before the server was stopped");
                break;
            case MoveStep.Consult when IsDue(move):
                EndMove(move, MoveOutcome.Refused, "the hook before a switchover did not answer in time");
                break;
            case MoveStep.Prepare when IsDue(move):
                EndMove(move, MoveOutcome.TakenBack, "the checkpoint was not done in time");
                break;
            case MoveStep.Hold when AnswerOf(move) is { Refusal.Length: > 0 } answer:
                EndMove(move, MoveOutcome.TakenBack, $"{move.ToName} refuses: {answer.Refusal}");
                break;
            case MoveStep.Hold when IsDue(move) || (move.Held is not null && IsCandidateShut(move)):
                Enter(move, MoveStep.Shut, move.Held ?? "HAProxy did not answer in time, clients are cut");
                break;
            case MoveStep.Shut when IsGateShut():
                Enter(move, MoveStep.Stop, "");
                break;
            // The shutdown may have begun with the closing of the gate: it is ended, and then the server is started again.
            case MoveStep.Shut when !hasLease:
                Fail(move, "the lease was lost before the server was stopped", MoveStep.Stop);
                break;
            case MoveStep.Shut when IsDue(move):
                Fail(move, "the gate was not shut in time", MoveStep.Restart);
                break;
            case MoveStep.Stop when IsDue(move):
                Fail(move, "the server did not stop, and it is not known what it does", hasLease ? MoveStep.Restart : MoveStep.TakeBack);
                break;
            case MoveStep.Halt:
                AdvanceHalt(move, hasLease);
                break;
            case MoveStep.HandOver:
                AdvanceHandOver(move, hasLease);
                break;
            case MoveStep.TakeOver or MoveStep.TakeBack:
                AdvanceTakeOver(move);
                break;
            case MoveStep.Restart or MoveStep.Reopen:
                AdvanceBack(move);
                break;
            case MoveStep.Rejoin:
                AdvanceRejoin(move);
                break;
            default:
                break;
        }
    }

    private void AdvanceHandOver(Move move, bool hasLease)
    {
        var answer = AnswerOf(move);
        if (!hasLease)
        {
            Fail(move, "the lease was lost before the standby had everything", MoveStep.TakeBack);
        }
        else if (_state.Server.InRecovery == true)
        {
            EndMove(move, MoveOutcome.Failed, "somebody made the stopped server a standby");
        }
        else if (answer is { Refusal.Length: > 0 })
        {
            Fail(move, $"{move.ToName} refuses: {answer.Refusal}", MoveStep.Restart);
        }
        else if (_state.Server is { Health: ServerHealth.Running or ServerHealth.Starting } server && server.At > move.StepBegan)
        {
            Fail(move, "somebody started the stopped server", MoveStep.Restart);
        }
        else if (move.End != default && answer?.Received >= move.End)
        {
            Enter(move, MoveStep.TakeOver, $"{move.ToName} received {answer.Received}, the server ended before {move.End}");
        }
        else if (IsDue(move))
        {
            Fail(move, $"{move.ToName} did not say in time that it received everything", MoveStep.Restart);
        }
    }

    /// <summary>Nothing happens until the order's end; then the lease goes by the ordinary rule, for the server is stopped.</summary>
    private void AdvanceHalt(Move move, bool hasLease)
    {
        if (!hasLease)
        {
            EndMove(move, MoveOutcome.Failed, "the lease was lost while the server was stopped by order; harepd start starts it");
        }
        else if (_state.Server.InRecovery == true)
        {
            EndMove(move, MoveOutcome.Failed, "somebody made the stopped server a standby");
        }
        else if (_state.Server.IsWritable && _state.Server.At > move.StepBegan)
        {
            Enter(move, MoveStep.Reopen, "somebody started the server");
        }
        else if (IsDue(move))
        {
            EndMove(move, MoveOutcome.Stopped, "its time is over: the lease is given up, and the server stays stopped");
        }
    }

    private void AdvanceTakeOver(Move move)
    {
        if (Holder() is { } holder && holder.HeldTerm > move.Term && holder.Timeline.Timeline > move.Under.Timeline.Timeline)
        {
            var succeeded = move with { ToName = holder.NodeName, To = holder.Member, Successor = holder };
            Enter(succeeded, MoveStep.Rejoin, $"{holder.NodeName} serves on timeline {holder.Timeline} under term {holder.HeldTerm}");
        }
        else if (_state.Server.InRecovery == true)
        {
            EndMove(move, MoveOutcome.Failed, "somebody made the stopped server a standby");
        }
        else if (move.Step == MoveStep.TakeBack)
        {
            // A run that resumes has its gate confirmed shut before anything is started.
            if (_state.Lease!.Held is { } held && _state.Gate.IsShutForWrites)
            {
                Enter(move with { Term = held.Term }, MoveStep.Restart, $"this node holds term {held.Term}");
            }
            else if (IsDue(move))
            {
                EndMove(move, MoveOutcome.Failed, "nobody gave the lease in time, and the server was not started");
            }
        }
        else if (AnswerOf(move) is { Refusal.Length: > 0 } answer)
        {
            Fail(move, $"{move.ToName} gave up: {answer.Refusal}", MoveStep.TakeBack);
        }
        else if (IsDue(move))
        {
            Fail(move, $"{move.ToName} did not take over in time", MoveStep.TakeBack);
        }
    }

    /// <summary>The way back: the server runs again as the primary it was, then its gate opens by the ordinary way.</summary>
    private void AdvanceBack(Move move)
    {
        var server = _state.Server;
        var isOpen = _state.Gate is { IsKnown: true, Now: Gate.ReadWrite, Asked: Gate.ReadWrite, IsPending: false };
        if (_state.Lease!.Held is null)
        {
            EndMove(move, MoveOutcome.Failed, "the lease was lost on the way back");
        }
        else if (move.Step == MoveStep.Restart && server.IsWritable && server.At > move.StepBegan)
        {
            Enter(move, MoveStep.Reopen, "the server takes writes again");
        }
        else if (move.Step == MoveStep.Reopen && isOpen)
        {
            EndMove(move, move.Order.IsRestart && move.Trouble.Length == 0 ? MoveOutcome.Restarted : MoveOutcome.TakenBack, "this node serves again");
        }
        else if (IsDue(move))
        {
            EndMove(move, MoveOutcome.Failed, move.Step == MoveStep.Restart ? "the server was not up again in time" : "the gate was not open again in time");
        }
    }

    private void AdvanceRejoin(Move move)
    {
        if (_state.Server is { Health: ServerHealth.Running, InRecovery: true, IsStreaming: true } server && server.At > move.StepBegan)
        {
            EndMove(move, MoveOutcome.Moved, $"{move.ToName} is the primary, this node streams from it");
        }
        else if (now >= move.AskAt)
        {
            var asked = Ask(move with { AskAt = Instant.Forever }, AskToRejoin);
            _state = _state.Move is { IsOver: true } ? _state : _state with { Move = asked };
        }
        else if (IsDue(move))
        {
            EndMove(move with { Trouble = "not back as a standby in time" }, MoveOutcome.Moved, $"{move.ToName} is the primary; this node is not back as a standby in time");
        }
    }

    /// <summary>The lease is kept, or asked back, for a server that is being stopped or started; nothing is asked for while another shall have it.</summary>
    private (Candidacy? Candidacy, string Reason)? MoveCandidacy()
    {
        if (_state.Move is not { IsOver: false } move)
        {
            return null;
        }

        return move.Step switch
        {
            MoveStep.TakeOver => (null, $"{move.ToName} takes over in a planned move"),
            _ when _state.Server.InRecovery == true => null,
            MoveStep.Shut or MoveStep.Stop or MoveStep.HandOver or MoveStep.Restart or MoveStep.Halt => (move.Under, "a planned move is under way"),
            MoveStep.TakeBack when _state.Lease!.Held is not null || _state.Gate.IsShutForWrites => (move.Under, "a planned move is taken back"),
            MoveStep.TakeBack => (null, "the gate is not confirmed shut yet"),
            _ => null,
        };
    }

    private HandoverOffer? OfferNow()
    {
        if (_state.Move is not { IsOffering: true } move)
        {
            return null;
        }

        var ends = move.Step == MoveStep.TakeOver ? move.StepEnds : move.PauseEnds + settings.Failover.PromoteTimeout;
        return new HandoverOffer(move.To, move.Number, move.Term, move.Under.Timeline, move.End, ends > now ? ends - now : TimeSpan.Zero);
    }

    private HandoverAnswer? AnswerOf(Move move) =>
        _state.View.Reports.GetValueOrDefault(move.To)?.Report.OfferAnswer is { } answer && answer.To == settings.Self && answer.Number == move.Number ? answer : null;

    /// <summary>A restart has nobody to wait for.</summary>
    private bool IsCandidateShut(Move move) => move.Order.IsRestart
        || (AnswerOf(move) is not null && _state.View.Reports.GetValueOrDefault(move.To)?.Report is { Gate: Gate.Fenced, IsShut: true });

    private bool IsDue(Move move) => now >= move.StepEnds;

    private bool IsGateShut() => _state.Gate is { IsKnown: true, Now: Gate.Fenced, Asked: Gate.Fenced, IsPending: false };
}
