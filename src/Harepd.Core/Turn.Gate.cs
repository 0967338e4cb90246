using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>Gate and route: what should be, what was asked for, what is confirmed.</summary>
internal sealed partial class Turn
{
    private void SettleGate()
    {
        var (fitness, reason) = Judge();
        var lease = _state.Lease!;
        var gate = _state.Gate;
        var desired = Planner.Desire(new Situation
        {
            Held = lease.Held,
            Server = _state.Server,
            Fitness = fitness,
            FitnessReason = reason,
            IsYielding = lease.IsYielding,
            IsStopping = _state.IsStopping,
            ShutByOrder = ShutByOrder(),
            IsMoving = _state.Move?.IsShutting == true,
            IsPromoting = IsPromoting(),
            MayServeReads = settings.AllowReads && _state.IsReadable && !IsAstrayNow(),
            MayBeOpen = !gate.IsKnown && gate.Now == Gate.ReadWrite,
        });

        if (desired.Gate is not { } to)
        {
            return;
        }

        if (to != gate.Asked)
        {
            AskGate(to, desired.Reason);
        }
        else if (!gate.IsPending && now >= gate.NextLook)
        {
            if (gate.IsKnown && gate.Now == to)
            {
                _opens.Add(new Effect.VerifyGate(NextSequence(), to, TermFor(to), NotAfter(to)));
                _state = _state with { Gate = _state.Gate with { IsPending = true } };
            }
            else
            {
                AskGate(to, desired.Reason);
            }
        }
    }

    private void AskGate(Gate to, string reason)
    {
        var before = _state.Gate;
        var term = TermFor(to);
        var sequence = NextSequence();
        var opens = before.IsKnown && before.Asked is { } asked && to > asked && to > Gate.Fenced;
        if (opens || (to == Gate.ReadWrite && _state.Lease!.Held is not null))
        {
            _opens.Add(new Effect.OpenGate(sequence, to, term, NotAfter(to)));
        }
        else
        {
            // A server that takes writes without the lease must end up shut, whatever it costs; a standby is never stopped for this.
            var mayStop = _state.Lease!.IsYielding || _state.Server.InRecovery == false;
            var beginsStop = to == Gate.Fenced && _state.Move is { IsOver: false, Step: MoveStep.Shut };
            _closes.Add(new Effect.CloseGate(sequence, to, term, FinishBy(), mayStop, reason) { BeginsStop = beginsStop });
        }

        if (before.Asked != to)
        {
            Note(DecisionKind.GateAsked, term, before.Asked?.ToString() ?? "", to.ToString(), reason);
        }

        _state = _state with { Gate = _state.Gate with { Asked = to, AskedAt = before.Asked == to ? before.AskedAt : now, AskedTerm = term, IsPending = true, Reason = reason } };
    }

    /// <summary>
    /// By when a close must be confirmed. One that gives a lease up has until the lease ends, for nothing is released before; one that is not
    /// bound to a lease (a start, a rogue primary) rejects and ends sessions just as fast, but is not hurried into stopping the postmaster.
    /// </summary>
    private Instant FinishBy()
    {
        if (!_state.Lease!.IsYielding)
        {
            return now + settings.Lease.Duration;
        }

        return _state.ArmedUntil > now ? _state.ArmedUntil : now + settings.Lease.FenceBudget;
    }

    private long NextSequence()
    {
        var sequence = _state.Gate.Sequence + 1;
        _state = _state with { Gate = _state.Gate with { Sequence = sequence } };
        return sequence;
    }

    private Term TermFor(Gate to) => to == Gate.ReadWrite ? _state.Lease!.Held!.Term : _state.HighestTerm;

    private Instant NotAfter(Gate to) => to == Gate.ReadWrite ? _state.Lease!.Held!.FenceAt : Instant.Forever;

    private void TakeGate(Input.GateApplied applied)
    {
        if (applied.Sequence != _state.Gate.Sequence)
        {
            return;
        }

        var before = _state.Gate;
        var isDone = applied.IsConfirmed && applied.Gate == before.Asked;
        _state = _state with
        {
            Gate = before with
            {
                Now = applied.Gate,
                IsKnown = applied.IsConfirmed,
                IsPending = false,
                NextLook = now + (isDone ? settings.VerifyInterval : settings.GateRetry),
            },
        };
        if (isDone && applied.Gate == Gate.ReadWrite)
        {
            _state = _state with { Serving = new SeenHolder(before.AskedTerm, settings.NodeName, _state.Server.Timeline) };
        }

        var hasChanged = !before.IsKnown || before.Now != applied.Gate || !applied.IsConfirmed;
        if (hasChanged)
        {
            var kind = isDone ? DecisionKind.GateConfirmed : DecisionKind.GateFailed;
            Note(kind, before.AskedTerm, before.IsKnown ? before.Now.ToString() : "?", applied.Gate.ToString(), applied.Detail, now - before.AskedAt);
        }
    }

    /// <summary>Releases what was given up as soon as the gate is confirmed shut, at once when it had never been opened (R4).</summary>
    private void SettleRelease()
    {
        if (_state is not { Lease.IsYielding: true, Gate: { IsKnown: true, Now: Gate.Fenced, Asked: Gate.Fenced, IsPending: false } })
        {
            return;
        }

        // Disarmed only now: until the gate was confirmed shut, watchdog and guard stood behind the fence.
        var term = _state.Gate.AskedTerm;
        _closes.Add(new Effect.ArmWatchdog(term, Instant.Zero, Instant.Zero));
        _state = _state with { ArmedUntil = Instant.Zero };
        Run((lease, rules) => LeaseMachine.GateShut(lease, rules, now));
        Note(DecisionKind.LeaseReleased, term, "", "", "the gate is shut and confirmed");
    }

    /// <summary>Somebody else moved the gate: what was confirmed before counts no more, and it is asked for again at once.</summary>
    private void DoubtGate() => _state = _state with { Gate = _state.Gate with { IsKnown = false, NextLook = now } };

    private void SettleRoute()
    {
        var gate = _state.Gate;
        var route = Planner.RouteOf(_state.Lease!.Held, gate.IsKnown, gate.Now, gate.Asked, MayPrimaryServeReads(), _state.Orders.IsMaintained);
        var term = route.Write ? _state.Lease.Held!.Term : _state.HighestTerm;
        if (_state.Route is { } told && told == route && (!route.Write || _state.RouteTerm == term))
        {
            return;
        }

        // After a start nothing is cut before it is known that it must be: a restarted daemon leaves good traffic alone.
        var isUndecided = _state.Route is null && gate.Asked != Gate.Fenced && (gate.Asked is null || gate.IsPending);
        if (isUndecided)
        {
            return;
        }

        if (route.Write && _state.Promotion.ToNote == term)
        {
            _records.Add(new Effect.NotePrimary(term));
            _state = _state with { Promotion = _state.Promotion with { ToNote = Term.None } };
        }

        var narrows = !route.Write && !route.Read;
        var steer = new Effect.Steer(route, term, route.Write ? _state.Lease.Held!.FenceAt : Instant.Forever);
        (narrows ? _closes : _opens).Add(steer);
        _state = _state with { Route = route, RouteTerm = term };
    }

    private void SettlePace()
    {
        var isVacant = _state.Voter is { } voter
            ? voter.LiveAt(now) is null || Suspicion()
            : Suspicion();
        var isAlarmed = _state.Promotion.Current is not null
            || (isVacant && _state.Lease!.Held is null && _state.Server.Health != ServerHealth.Unknown && !IsAnothersTurn());
        if (isAlarmed != _state.IsAlarmed)
        {
            _sends.Add(new Effect.SetPace(isAlarmed));
            _state = _state with { IsAlarmed = isAlarmed };
        }

        // Looks every few milliseconds take processors from whoever is being promoted; this standby will not be, unless harepd has it do so.
        bool IsAnothersTurn() => settings.Failover.Promoter == Promoter.Harepd && _state.Server.InRecovery == true
            && (_state.Promotion.Verdict.IsOutranked
                || (_state.Voter?.LiveAt(now)?.Owner.Member is { } holder && holder != settings.Self && holder != _state.Promotion.Last?.Member)
                || _state.View.Reports.Values.Any(seen => seen.Report.Offer is { } offer && offer.To != settings.Self && now < seen.MadeAt + offer.For));

        bool Suspicion() => Share.Suspicion.IsLeaseInDoubt(_state.View, now, settings.Freshness);
    }
}
