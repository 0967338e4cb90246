using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>
/// The server of this node stopped and started by an operator's order. A holder's is stopped by a restart that waits (<see cref="MoveStep.Halt"/>), under the lease; any
/// other here, behind a gate that is shut. What was a primary is started only by a move's way back: under a lease, or as the standby of whoever took its place.
/// </summary>
internal sealed partial class Turn
{
    private void BeginStop(LocalOrder order)
    {
        var stop = new ServerStop(order.Id, StopStep.Shut, now, now + settings.Lease.Duration) { Timeout = order.Timeout };
        _state = _state with { Orders = _state.Orders with { Stop = stop } };
        Note(DecisionKind.StopOrdered, _state.HighestTerm, "", Describe(_state.Server), "the gate is shut first", actor: DecisionActor.Operator);
    }

    private void SettleStop()
    {
        if (_state.Orders.Stop is not { } stop)
        {
            return;
        }

        var server = _state.Server;
        switch (stop.Step)
        {
            case StopStep.Shut when IsGateShut():
                var sequence = _state.OrderSequence + 1;
                var until = now + stop.Timeout;
                Follow(stop with { Step = StopStep.Stop, Awaited = sequence, StepEnds = until + settings.Moves.Spare });
                _state = _state with { OrderSequence = sequence };
                _closes.Add(new Effect.StopServer(sequence, _state.HighestTerm, until) { IsAnyServer = true });
                break;
            case StopStep.Shut or StopStep.Stop when now >= stop.StepEnds:
                EndStop(stop, MoveOutcome.Failed, stop.Step == StopStep.Shut ? "the gate was not shut in time" : "it is not known whether the server stopped");
                break;
            case StopStep.Down when server.At > stop.StepEnds && server.Health is not (ServerHealth.Unknown or ServerHealth.Starting or ServerHealth.StoppedCleanly or ServerHealth.Down):
                EndStop(stop, MoveOutcome.Done, "the server runs again");
                break;
            default:
                break;
        }
    }

    private void TakeStopDone(Input.OrderDone done)
    {
        if (_state.Orders.Start is { } start && start.Awaited == done.Sequence)
        {
            EndStart(start, done.IsDone ? MoveOutcome.Done : MoveOutcome.Failed, done.Detail);
            _sends.Add(new Effect.Look());
        }

        if (_state.Orders.Stop is not { Step: StopStep.Stop } stop || stop.Awaited != done.Sequence)
        {
            return;
        }

        _sends.Add(new Effect.Look());
        if (!done.IsDone)
        {
            EndStop(stop, MoveOutcome.Failed, done.Detail);
            return;
        }

        // What was read before the stop does not say that the server runs again.
        Follow(stop with { Step = StopStep.Down, StepEnds = now });
        Note(DecisionKind.StopDone, _state.HighestTerm, "", "stopped", done.Detail, now - stop.Began, DecisionActor.Operator);
        EndLocal(stop.Id, MoveOutcome.Done, now - stop.Began, $"{done.Detail}; harepd start starts it again");
    }

    private void Follow(ServerStop stop) => _state = _state with { Orders = _state.Orders with { Stop = stop } };

    private void EndStop(ServerStop stop, MoveOutcome outcome, string detail)
    {
        _state = _state with { Orders = _state.Orders with { Stop = null } };
        Note(DecisionKind.StopEnded, _state.HighestTerm, "stopped", "", detail, now - stop.Began, DecisionActor.Operator);
        if (stop.Step != StopStep.Down)
        {
            EndLocal(stop.Id, outcome, now - stop.Began, detail);
        }
    }

    private void BeginStart(LocalOrder order)
    {
        if (_state.Move is { IsOver: false, Step: MoveStep.Halt } halted)
        {
            Enter(halted with { Order = halted.Order with { Id = order.Id }, StartLimit = order.Timeout, Trouble = "" }, MoveStep.Restart, "an operator starts it");
            return;
        }

        if (_state.Orders.Stop is { } stop)
        {
            EndStop(stop, MoveOutcome.Done, "an operator starts it");
        }

        Note(DecisionKind.StartOrdered, _state.HighestTerm, Describe(_state.Server), "", $"within {order.Timeout.TotalSeconds:0.#} s", actor: DecisionActor.Operator);
        if (_state.Server.OnDisk!.IsStandby)
        {
            var sequence = _state.OrderSequence + 1;
            var until = now + order.Timeout;
            _state = _state with { OrderSequence = sequence, Orders = _state.Orders with { Start = new ServerStart(order.Id, sequence, now, until + settings.Moves.Spare) } };
            _opens.Add(new Effect.StartServer(sequence, _state.HighestTerm, "", 0, until) { IsAsItWas = true });
            return;
        }

        ComeBack(new MoveOrder(order.Id, "", MoveOrder.DefaultPause, IsDryRun: false) { IsRestart = true }, UnderOnDisk()!, order.Timeout);
    }

    /// <summary>What was a primary and is down comes back by a move's way back: under a lease that is asked for first, or after whoever took its place.</summary>
    private void ComeBack(MoveOrder order, Candidacy under, TimeSpan limit) => Begin(
        new Move
        {
            Order = order,
            Number = Math.Max(_state.ReportVersion, (_state.Move?.Number ?? 0) + 1),
            To = settings.Self,
            ToName = settings.NodeName,
            // Below that of whoever may have taken its place.
            Term = new Term(Math.Max(1, _state.HighestTerm.Value - 1)),
            Under = under,
            Began = now,
            Step = MoveStep.Stop,
            StepBegan = now,
            End = _state.Server.OnDisk!.End,
            StartLimit = limit,
        },
        MoveStep.TakeBack);

    private void SettleStart()
    {
        if (_state.Orders.Start is { } start && now >= start.Ends)
        {
            EndStart(start, MoveOutcome.Failed, "it is not known whether the server was started");
        }
    }

    private void EndStart(ServerStart start, MoveOutcome outcome, string detail)
    {
        _state = _state with { Orders = _state.Orders with { Start = null } };
        Note(DecisionKind.StartDone, _state.HighestTerm, "", outcome.ToString(), detail, now - start.Began, start.IsOwn ? DecisionActor.Daemon : DecisionActor.Operator);
        EndLocal(start.Id, outcome, now - start.Began, detail);
    }

    /// <summary>What the stopped server wrote; null where it is not known for certain.</summary>
    private Candidacy? UnderOnDisk() => _state.Server is { OnDisk.Timeline: var timeline, SystemId.IsUnknown: false } server && (timeline.Timeline == 1 || timeline.SwitchLsn != default)
        ? new Candidacy(timeline, server.SystemId)
        : null;

    /// <summary>Why the server that is down cannot be started by an order; empty when it can.</summary>
    private string StartRefusal()
    {
        var server = _state.Server;
        if (_state.Move is { IsOver: false, Step: MoveStep.Halt })
        {
            return "";
        }

        const string byHand = "start PostgreSQL by its own means: it comes up shut";
        var holder = Holder();
        return server.Health is not (ServerHealth.StoppedCleanly or ServerHealth.Down) ? $"the server is not down: {Describe(server)}"
            : server.OnDisk is not { } disk || server.SystemId.IsUnknown ? $"what lies in the data folder cannot be read; {byHand}"
            : disk.IsStandby ? ""
            : settings.Failover.Promoter != Promoter.Harepd ? $"failover.manager is not harepd; {byHand}"
            : _state.Orders.IsFenced ? "a primary is started under a lease, and this node is fenced by an order: harepd unfence first"
            : UnderOnDisk() is null ? $"it is not known for certain where timeline {disk.Timeline.Timeline} began; {byHand}"
            : holder is null ? ""
            : holder.System != server.SystemId || holder.Timeline.Timeline <= disk.Timeline.Timeline ? $"{holder.NodeName} holds the lease on timeline {holder.Timeline}; {byHand}"
            : disk.End == default || holder.Timeline.SwitchLsn < disk.End
                ? $"{holder.NodeName} has taken its place, and this server may have what {holder.NodeName} never got; {byHand}, and harepd rejoin makes it a standby"
            : "";
    }
}
