using System.Globalization;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core;

/// <summary>
/// A failover by hand: an operator's word for this standby in the place of the evidence, limits and delays that wait for one. The lease is asked for and the
/// server promoted by the ordinary way; what is not done in time is given up and said.
/// </summary>
internal sealed partial class Turn
{
    private const string TakeoverStep = nameof(MoveStep.TakeOver);

    private void TakeTakeover(TakeoverOrder order)
    {
        var running = _state.Promotion.Ordered is not null ? "another failover was ordered a moment ago"
            : _state.Promotion.Current is not null ? "a promotion is under way here"
            : _state.IsStopping ? "the daemon stops"
            : _state.Rejoin.Awaited != 0 ? "this server is being made a standby"
            : _state.Orders.Start is not null ? "the server is being started by an order"
            : "";
        var finding = TakeoverChecks.Judge(Question(), order.AcceptsLoss, running);
        TellChecks(order.Id, finding.Passed, finding.Problems);

        if (!finding.Problems.IsEmpty)
        {
            EndTakeover(new Takeover(order, now, now), MoveOutcome.Refused, order.IsDryRun ? "nothing was changed" : string.Join("; ", finding.Problems));
        }
        else if (order.IsDryRun)
        {
            EndTakeover(new Takeover(order, now, now), MoveOutcome.Possible, "nothing stands in the way");
        }
        else
        {
            // Until the last lease is over for certain, and then for as long as a promotion may take.
            var takeover = new Takeover(order, now, now + settings.Lease.AbstainFor + settings.Failover.PromoteTimeout + settings.Moves.Spare);
            _state = _state with { Promotion = _state.Promotion with { Ordered = takeover, FailedUntil = Instant.Zero } };
            var loss = finding.Loss.Length == 0 ? "nothing is known to be lacking" : $"accepted: {finding.Loss}";
            Note(DecisionKind.FailoverOrdered, _state.HighestTerm, "standby", "primary", loss, actor: DecisionActor.Operator);
            TellMove(order.Id, MoveEventKind.StepBegan, TakeoverStep, TimeSpan.Zero, "");
        }
    }

    private void SettleTakeover()
    {
        if (_state.Promotion.Ordered is not { } takeover)
        {
            return;
        }

        var isOpen = _state is { Lease.Held: not null, Gate: { IsKnown: true, Now: Gate.ReadWrite, Asked: Gate.ReadWrite, IsPending: false } };
        if (isOpen && _state.Promotion.Current is null)
        {
            EndTakeover(takeover, MoveOutcome.Moved, $"this node is the primary on timeline {_state.Server.Timeline}");
        }
        else if (_state.IsStopping || now >= takeover.Ends)
        {
            var reason = _state.IsStopping ? "the daemon stops" : _state.Promotion.Verdict.Reason is { Length: > 0 } why ? $"not done in time: {why}" : "not done in time";
            EndTakeover(takeover, MoveOutcome.Failed, reason);
        }
    }

    private void EndTakeover(Takeover takeover, MoveOutcome outcome, string detail)
    {
        var took = now - takeover.Began;
        if (_state.Promotion.Ordered == takeover)
        {
            _state = _state with { Promotion = _state.Promotion with { Ordered = null } };
            TellMove(takeover.Order.Id, outcome == MoveOutcome.Moved ? MoveEventKind.StepDone : MoveEventKind.StepFailed, TakeoverStep, took, detail);
            Note(DecisionKind.FailoverOrderEnded, _state.HighestTerm, "", outcome.ToString(), detail, took, DecisionActor.Operator);
        }
        else if (!takeover.Order.IsDryRun)
        {
            Note(DecisionKind.FailoverOrderEnded, _state.HighestTerm, "", outcome.ToString(), detail, actor: DecisionActor.Operator);
        }

        _records.Add(new Effect.TellMove(new MoveEvent(takeover.Order.Id, MoveEventKind.Ended, outcome.ToString(), took, detail) { Outcome = outcome }));
    }

    /// <summary>What a promotion may have lost, for the record: it is looked for when the old primary is back or its disk is read.</summary>
    private void NotePossibleLoss(Promotion current)
    {
        if (_state.Promotion.Last is { } last && Failover.MayLack(last, _state.Server) is var lacks and > 0)
        {
            var range = string.Create(CultureInfo.InvariantCulture, $"at least {lacks} bytes, timeline {last.Timeline.Timeline} from {_state.Server.WriteLsn} to {last.WriteLsn}, of {last.Member}");
            Note(DecisionKind.PossibleLoss, current.Term, "", "", range, actor: ActorOf(current));
        }
    }
}
