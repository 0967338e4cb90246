using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// What an operator orders of this node alone: maintenance, and a fence that lasts. Both only take away: no readers, no taking over, no lease. What they leave goes by the
/// ordinary rules, and so does everything when they are over.
/// </summary>
internal sealed partial class Turn
{
    private void TakeLocalOrder(LocalOrder order)
    {
        if (order is { Kind: LocalOrderKind.Stop, AcceptsOutage: true } && _state.Lease?.Held is not null && RunningHere().Length == 0)
        {
            // A restart that waits before the start.
            TakeMoveOrder(new MoveOrder(order.Id, "", order.Timeout, order.IsDryRun) { IsRestart = true, Halt = order.For });
            return;
        }

        var finding = LocalChecks.Judge(LocalQuestion(order));
        TellChecks(order.Id, finding.Passed, finding.Problems);
        if (!finding.Problems.IsEmpty)
        {
            EndLocal(order.Id, MoveOutcome.Refused, TimeSpan.Zero, "nothing was changed");
        }
        else if (order.IsDryRun)
        {
            EndLocal(order.Id, MoveOutcome.Possible, TimeSpan.Zero, "nothing stands in the way");
        }
        else
        {
            Begin(order);
        }
    }

    private void Begin(LocalOrder order)
    {
        var span = $"for {order.For:d\\.hh\\:mm\\:ss}";
        switch (order.Kind)
        {
            case LocalOrderKind.Maintain:
                _state = _state with { Orders = _state.Orders with { MaintainedUntil = now + order.For } };
                Note(DecisionKind.MaintenanceBegins, _state.HighestTerm, "", "maintenance", span, actor: DecisionActor.Operator);
                EndLocal(order.Id, MoveOutcome.Done, TimeSpan.Zero, $"in maintenance {span}; harepd maintenance --off ends it");
                break;
            case LocalOrderKind.EndMaintenance:
                EndMaintenance("an operator ended it", DecisionActor.Operator);
                EndLocal(order.Id, MoveOutcome.Done, TimeSpan.Zero, "no longer in maintenance");
                break;
            case LocalOrderKind.Fence:
                var limit = settings.Lease.Duration + settings.Moves.Spare;
                _state = _state with { Orders = _state.Orders with { FencedUntil = now + order.For, Awaited = new FenceAwaited(order.Id, now, now + limit) } };
                Note(DecisionKind.FenceOrdered, _state.HighestTerm, "", "fenced", span, actor: DecisionActor.Operator);
                break;
            case LocalOrderKind.Stop:
                BeginStop(order);
                break;
            case LocalOrderKind.Start:
                BeginStart(order);
                break;
            default:
                EndFence("an operator ended it", DecisionActor.Operator);
                EndLocal(order.Id, MoveOutcome.Done, TimeSpan.Zero, "the ordinary rules open the gate again");
                break;
        }
    }

    /// <summary>What is over by time, and a fence that is confirmed.</summary>
    private void SettleLocalOrders()
    {
        if (_state.Orders.IsMaintained && now >= _state.Orders.MaintainedUntil)
        {
            EndMaintenance("its time is over", DecisionActor.Daemon);
        }

        if (_state.Orders.IsFenced && now >= _state.Orders.FencedUntil)
        {
            EndFence("its time is over", DecisionActor.Daemon);
        }

        SettleStop();
        SettleStart();
        if (_state.Orders.Awaited is not { } awaited)
        {
            return;
        }

        var isShut = IsGateShut() && _state.Lease is { Held: null, IsYielding: false };
        if (isShut || now >= awaited.Ends)
        {
            _state = _state with { Orders = _state.Orders with { Awaited = null } };
            EndLocal(
                awaited.Id, isShut ? MoveOutcome.Done : MoveOutcome.Failed, now - awaited.Began,
                isShut ? "the gate is shut and confirmed, and no lease is held; harepd unfence ends it" : "the gate is not confirmed shut yet; it goes on being tried");
        }
    }

    private void EndMaintenance(string reason, DecisionActor actor)
    {
        _state = _state with { Orders = _state.Orders with { MaintainedUntil = Instant.Zero } };
        Note(DecisionKind.MaintenanceEnded, _state.HighestTerm, "maintenance", "", reason, actor: actor);
    }

    private void EndFence(string reason, DecisionActor actor)
    {
        if (_state.Orders.Awaited is { } awaited)
        {
            EndLocal(awaited.Id, MoveOutcome.Failed, now - awaited.Began, $"the fence ended before it was confirmed: {reason}");
        }

        _state = _state with { Orders = _state.Orders with { FencedUntil = Instant.Zero, Awaited = null } };
        Note(DecisionKind.FenceEnded, _state.HighestTerm, "fenced", "", reason, actor: actor);
    }

    private void EndLocal(long order, MoveOutcome outcome, TimeSpan took, string detail) =>
        _records.Add(new Effect.TellMove(new MoveEvent(order, MoveEventKind.Ended, outcome.ToString(), took, detail) { Outcome = outcome }));

    private LocalQuestion LocalQuestion(LocalOrder order) => new()
    {
        Now = now,
        Self = settings.Self,
        Order = order,
        Orders = _state.Orders,
        Policy = settings.Failover,
        IsHolder = _state.Lease?.Held is not null,
        PausedUntil = _state.Promotion.PausedUntil,
        Running = order.Kind == LocalOrderKind.Start && _state.Move is { IsOver: false, Step: MoveStep.Halt } ? "" : RunningHere(order.Kind == LocalOrderKind.Start),
        Trouble = order.Kind switch
        {
            LocalOrderKind.Start => StartRefusal(),
            LocalOrderKind.Stop when _state.Server.Health is ServerHealth.StoppedCleanly or ServerHealth.Down => $"the server is down already: {Describe(_state.Server)}",
            LocalOrderKind.Stop when _state.Server.Health == ServerHealth.Unknown => "the server was not looked at yet",
            _ => "",
        },
        View = _state.View,
        Freshness = settings.Freshness,
    };

    /// <summary>What is under way on this node and must end before another order, in words; empty when nothing is.</summary>
    private string RunningHere(bool mayBeStopped = false) => _state.IsStopping ? "the daemon stops"
        : _state.Move is { IsOver: false } move ? $"{WhatOf(move)} is under way: {move.Step}"
        : _state.Promotion.Current is not null ? "a promotion is under way here"
        : _state.Promotion.Ordered is not null ? "a failover to this node was ordered a moment ago"
        : _state.Promotion.Handover is { Refusal: "" } handover ? $"{handover.From} hands over to this node in a planned move"
        : _state.Orders.Start is not null ? "the server is being started by an order"
        : _state.Orders.Stop is { Step: not StopStep.Down } ? "the server is being stopped by an order"
        : _state.Orders.Stop is not null && !mayBeStopped ? "the server is stopped by an order (harepd start)"
        : _state.Rejoin.Awaited != 0 ? "this server is being made a standby"
        : _state.Unfinished is not null ? "what an earlier run left of a planned move is being looked at"
        : "";

    /// <summary>Why this node takes over nothing, by an operator's order; empty where there is none.</summary>
    private string Withheld() => _state.Orders.IsFenced ? "this node is fenced by an order (harepd unfence ends it)"
        : _state.Orders.Stop is not null ? "this node's server is stopped by an order (harepd start ends it)"
        : _state.Orders.IsMaintained ? "this node is in maintenance (harepd maintenance --off ends it)"
        : "";

    private string ShutByOrder() => _state.Orders.IsFenced ? "an operator fenced this node" : _state.Orders.Stop is not null ? "an operator stops the server" : "";

    private bool IsPromotableNow() => !_state.Orders.IsShut && !_state.Orders.IsMaintained
        && Failover.IsPromotable(settings.Failover, _state.Server, _state.Promotion.FailedUntil, settings.Freshness, now);

    private OrdersTold? OrdersNow() => _state.Orders is not ({ IsMaintained: true } or { IsShut: true }) && _state.Move is not { IsOver: false, Step: MoveStep.Halt } ? null : new OrdersTold(
        _state.Orders.MaintainedUntil > now ? _state.Orders.MaintainedUntil - now : TimeSpan.Zero,
        _state.Orders.FencedUntil > now ? _state.Orders.FencedUntil - now : TimeSpan.Zero)
        {
            IsStopped = _state.Orders.Stop is not null || _state.Move is { IsOver: false, Step: MoveStep.Halt },
        };
}
