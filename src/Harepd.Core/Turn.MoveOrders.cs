using System.Collections.Immutable;
using System.Globalization;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>An operator's orders for planned moves and restarts: checked, kept for later, begun, taken back, and what is said of them.</summary>
internal sealed partial class Turn
{
    private void TakeMoveOrder(MoveOrder order)
    {
        var finding = Check(order);
        TellChecks(order.Id, finding.Passed, finding.Problems);

        if (finding.Problems.Length > 0 || order.IsDryRun)
        {
            var outcome = finding.Problems.Length > 0 ? MoveOutcome.Refused : MoveOutcome.Possible;
            var what = order.Halt > TimeSpan.Zero ? "stop" : order.IsRestart ? "restart" : $"move to {finding.To?.NodeName}";
            var detail = outcome == MoveOutcome.Possible ? $"nothing stands in the way of a {what}" : "nothing was changed";
            EndOrder(order, outcome, detail);
            if (!order.IsDryRun)
            {
                Note(DecisionKind.MoveRefused, _state.HighestTerm, settings.NodeName, order.To, string.Join("; ", finding.Problems), actor: DecisionActor.Operator);
            }
        }
        else if (order.After > TimeSpan.Zero)
        {
            Schedule(order);
        }
        else
        {
            BeginMove(order, finding.To?.Member ?? settings.Self, finding.To?.NodeName ?? settings.NodeName);
        }
    }

    private void EndOrder(MoveOrder order, MoveOutcome outcome, string detail) =>
        _records.Add(new Effect.TellMove(new MoveEvent(order.Id, MoveEventKind.Ended, outcome.ToString(), TimeSpan.Zero, detail) { Outcome = outcome }));

    /// <summary>A later order takes the place of an earlier one. The checks are made again when it is due: what stands in the way then is recorded, and nothing is moved.</summary>
    private void Schedule(MoveOrder order)
    {
        var after = order.After < MoveOrder.LongestDelay ? order.After : MoveOrder.LongestDelay;
        var what = string.Create(CultureInfo.InvariantCulture, $"begins in {after:d\\.hh\\:mm\\:ss}");
        EndOrder(order, MoveOutcome.Scheduled, $"{what}; harepd switchover --cancel takes it back");
        Note(DecisionKind.MoveScheduled, _state.HighestTerm, settings.NodeName, order.To, what, actor: DecisionActor.Operator);
        _state = _state with { Scheduled = new ScheduledMove(order with { After = TimeSpan.Zero }, now + after) };
    }

    /// <summary>One that is due is begun as soon as a daemon that was just started knows whether it serves, and never much later than it was ordered for.</summary>
    private void SettleSchedule()
    {
        if (_state.Scheduled is not { } scheduled || now < scheduled.Due)
        {
            return;
        }

        var isLate = now - scheduled.Due > MoveOrder.LatestBegin;
        var isYoung = _state.Server.Health == ServerHealth.Unknown || _state.Gate.IsPending || !_state.Gate.IsKnown || _state is { Server.IsWritable: true, Lease.Held: null };
        if (isLate)
        {
            _state = _state with { Scheduled = null };
            Note(
                DecisionKind.MoveForgotten, _state.HighestTerm, settings.NodeName, scheduled.Order.To,
                "its time passed more than a minute ago, and it is not begun late", actor: DecisionActor.Operator);
        }
        else if (!isYoung)
        {
            _state = _state with { Scheduled = null };
            TakeMoveOrder(scheduled.Order);
        }
    }

    /// <summary>What an operator who asks for the state wants to know of a planned move; null when there is none.</summary>
    private string? MoveInWords() => _state.Move is { IsOver: false } move ? $"{WhatOf(move)} is under way: {move.Step}"
        : _state.Scheduled is not { } scheduled ? null
        : scheduled.Order.IsRestart ? "a restart waits for its time"
        : scheduled.Order.To.Length > 0 ? $"a planned move to {scheduled.Order.To} waits for its time" : "a planned move waits for its time";

    private static string WhatOf(Move move) => move.Step == MoveStep.Halt ? "a stop by order (harepd start ends it)" : move.Order.IsRestart ? "a restart" : $"a planned move to {move.ToName}";

    private MoveFinding Check(MoveOrder order) =>
        MoveChecks.Judge(new MoveQuestion
        {
            IsVoteless = _state.Voter is { IsTimelineLost: true },
            Now = now,
            Self = settings.Self,
            To = order.To,
            IsRestart = order.IsRestart,
            Policy = settings.Failover,
            Server = _state.Server,
            Held = _state.IsStopping ? null : _state.Lease?.Held,
            IsOpen = _state.Gate is { IsKnown: true, Now: Gate.ReadWrite, Asked: Gate.ReadWrite },
            Running = _state.Move is { IsOver: false } running ? $"{WhatOf(running)} is under way: {running.Step}" : "",
            View = _state.View,
            Freshness = settings.Freshness,
        });

    private void BeginMove(MoveOrder order, MemberId to, string toName)
    {
        var held = _state.Lease!.Held!;
        var move = new Move
        {
            Order = order,
            // Above those of earlier runs, whose last may still be answered.
            Number = Math.Max(_state.ReportVersion, (_state.Move?.Number ?? 0) + 1),
            To = to,
            ToName = toName,
            Term = held.Term,
            Under = held.Under!,
            Began = now,
            StepBegan = now,
            HaltEnds = order.Halt > TimeSpan.Zero ? now + order.Halt : Instant.Zero,
        };
        Note(DecisionKind.MoveBegins, held.Term, settings.NodeName, move.ToName, $"ordered; clients may wait for {order.Pause.TotalSeconds:0.#} s at most", actor: DecisionActor.Operator);
        var first = settings.MoveHook is null || order.IsRestart ? MoveStep.Prepare : MoveStep.Consult;
        Begin(move with { Step = first }, first);
    }

    private void CancelMove(string reason)
    {
        if (_state.Scheduled is { } scheduled)
        {
            Note(DecisionKind.MoveEnded, _state.HighestTerm, settings.NodeName, MoveOutcome.TakenBack.ToString(), $"scheduled to {scheduled.Order.To}: {reason}", actor: DecisionActor.Operator);
            _state = _state with { Scheduled = null };
        }

        Forget(reason);
        if (_state.Move is { IsOver: false, Step: MoveStep.Consult or MoveStep.Prepare or MoveStep.Hold } move)
        {
            Fail(move, reason, MoveStep.Reopen);
        }
    }

    /// <summary>What the checks of an order found, one line each.</summary>
    private void TellChecks(long order, ImmutableArray<string> passed, ImmutableArray<string> problems)
    {
        foreach (var check in passed)
        {
            TellMove(order, MoveEventKind.Checked, check, TimeSpan.Zero, "");
        }

        foreach (var problem in problems)
        {
            TellMove(order, MoveEventKind.Problem, problem, TimeSpan.Zero, "");
        }
    }
}
