using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// One step of the node machine at work: takes the input in, then settles everything that follows from it.
/// Lives for one step; the buckets keep the contract of the order (close, save, send, open, record).
/// </summary>
internal sealed partial class Turn(NodeState state, NodeSettings settings, Instant now)
{
    private readonly NodeState _before = state;
    private readonly List<Effect> _closes = [];
    private readonly List<Effect> _saves = [];
    private readonly List<Effect> _sends = [];
    private readonly List<Effect> _opens = [];
    private readonly List<Effect> _records = [];
    private NodeState _state = state;

    /// <summary>Takes the input in: facts only, no decision yet.</summary>
    public void Take(Input input)
    {
        switch (input)
        {
            case Input.Tick:
                break;
            case Input.Observed observed:
                TakeObservation(observed.Server);
                break;
            case Input.PostmasterDied died:
                TakeDeath(died.Detail);
                break;
            case Input.VoteAsked asked:
                Vote(asked);
                break;
            case Input.VoteAnswered answered:
                Run((lease, rules) => LeaseMachine.OnReply(lease, rules, CandidacyNow().Candidacy, answered.Reply, now));
                break;
            case Input.Heard heard:
                TakeReports(heard.Reports);
                break;
            case Input.GateApplied applied:
                TakeGate(applied);
                break;
            case Input.HoldSettled hold:
                Note(DecisionKind.HoldSettled, _state.HighestTerm, "", hold.IsHeld ? "held" : "not held", hold.Detail);
                TakeHold(hold);
                break;
            case Input.MoveOrdered ordered:
                TakeMoveOrder(ordered.Order);
                break;
            case Input.TakeoverOrdered ordered:
                TakeTakeover(ordered.Order);
                break;
            case Input.MoveCancelled cancelled:
                CancelMove(cancelled.Reason);
                break;
            case Input.OrderDone done:
                TakeOrderDone(done);
                TakeRejoinDone(done);
                TakeSynchronized(done);
                TakeStopDone(done);
                break;
            case Input.PauseOrdered ordered:
                // The hosts' calendars may differ: what is ordered here is later than what was heard here.
                TakePause(Math.Max(ordered.Number, _state.Promotion.PauseNumber + 1), now, ordered.For);
                break;
            case Input.RejoinOrdered:
                _state = _state with { Rejoin = _state.Rejoin with { IsOrdered = true, IsBroken = false, NotBefore = Instant.Zero } };
                break;
            case Input.LocalOrdered ordered:
                TakeLocalOrder(ordered.Order);
                break;
            case Input.TimelineSaved saved:
                TakeTimeline(saved.Timeline);
                break;
            case Input.TimelineNotSaved lost:
                DropTimeline(lost);
                break;
            case Input.WatchdogFired fired:
                Note(DecisionKind.WatchdogFired, fired.Term, "", "", "the lease watchdog fenced: the daemon was late");
                DoubtGate();
                Run((lease, _) => lease.Held?.Term == fired.Term ? LeaseMachine.GiveUp(lease, "the lease watchdog fenced") : new LeaseStep(lease, []));
                break;
            case Input.PromotionAsked asked:
                TakePromotion(asked);
                break;
            case Input.GuardSeen seen:
                _state = _state with { IsGuardLooking = seen.IsLooking };
                break;
            case Input.Stop stop:
                Note(DecisionKind.Stopping, _state.HighestTerm, "", "", stop.Reason, actor: DecisionActor.Operator);
                _state = _state with { IsStopping = true };
                break;
            default:
                throw new InvalidOperationException($"unknown input {input.GetType().Name}");
        }
    }

    /// <summary>Draws the conclusions: fitness, lease, gate, route, pace, report.</summary>
    public void Settle()
    {
        if (_state.Lease is not null)
        {
            SettleLocalOrders();
            SettleUnfinished();
            SettleSchedule();
            SettleMove();
            SettleFailover();
            SettleSynchrony();
            HurryStatement();
            SettleLease();
            RecordStatement();
            SettleWatchdog();
            SettleRelease();
            SettleGate();
            SettlePromotion();
            SettleTakeover();
            SettleRoute();
            SettlePointing();
            SettlePace();
            SettleUpstream();
            SettleRejoin();
            SettleCrash();
        }

        SettleHearing();
        SettleReport();
        SettleMemory();
    }

    /// <summary>The new state and the effects in their contractual order.</summary>
    public NodeStep Finish()
    {
        var memory = MemoryOf(_state);
        if (memory != MemoryOf(_before))
        {
            _records.Add(new Effect.KeepMemory(memory));
        }

        return new(_state with { LastStep = now }, [.. _closes, .. _saves, .. _sends, .. _opens, .. _records]);
    }

    private void SettleLease()
    {
        var (candidacy, reason) = CandidacyNow();
        if (candidacy is null)
        {
            Run((lease, _) => LeaseMachine.GiveUp(lease, reason));
        }

        var mayPrepare = MayPrepare();
        if (candidacy is null && !mayPrepare)
        {
            Run((lease, rules) => LeaseMachine.Withdraw(lease, rules, now));
        }

        Run((lease, rules) => LeaseMachine.Tick(lease, rules, candidacy, now, mayPrepare));
        var isRogue = _state.Lease is { Held: null } && _state.Server.IsWritable && candidacy is not null && IsForeign(_state.Lease.LastRefusal);
        if (isRogue && !_state.IsRogue)
        {
            Note(DecisionKind.RogueSeen, _state.HighestTerm, "", "", $"the server takes writes but the lease is refused: {_state.Lease!.LastRefusal}");
        }

        _state = _state with { IsRogue = isRogue };
    }

    /// <summary>Refusals that say that the writes belong elsewhere; an abstaining or busy voter says nothing of the kind.</summary>
    private static bool IsForeign(RefusalReason reason) =>
        reason is RefusalReason.ForeignLease or RefusalReason.OldTimeline or RefusalReason.OtherSystem;

    /// <summary>Watchdog and guard stand behind every lease that is held, a resumed one too, before anything is opened under it (R12).</summary>
    private void SettleWatchdog()
    {
        if (_state.Lease?.Held is { } held && held.Deadline != _state.ArmedUntil)
        {
            _closes.Add(new Effect.ArmWatchdog(held.Term, held.FenceAt, held.Deadline));
            _state = _state with { ArmedUntil = held.Deadline };
        }
    }

    private (Candidacy? Candidacy, string Reason) CandidacyNow() =>
        ChooseCandidacy() is var (candidacy, reason) && candidacy is not null ? (WithStatement(candidacy), reason) : (null, reason);

    private (Candidacy? Candidacy, string Reason) ChooseCandidacy()
    {
        if (_state.IsStopping)
        {
            return (null, "the daemon stops");
        }

        if (LacksGuard())
        {
            return (null, "the guard does not look at the lease, and fence.requireGuard wants it");
        }

        if (ShutByOrder() is { Length: > 0 } order)
        {
            return (null, order);
        }

        if (MoveCandidacy() is { } move)
        {
            return move;
        }

        if (PromotionCandidacy() is { } promotion)
        {
            return promotion;
        }

        var (fitness, reason) = Judge();
        return Eligibility.Of(_state.Server, fitness, reason, _state.Lease?.Held, _state.Gate.IsShutForWrites);
    }

    /// <summary>
    /// A standby about to take writes collects promises meanwhile; nothing is accepted before it is out of recovery, for only then is its timeline
    /// known (ADR 0010).
    /// </summary>
    private bool MayPrepare() => !_state.IsStopping && !_state.Orders.IsShut && !LacksGuard()
        && (_state.Server.IsPromoting || IsProving()) && now - _state.Server.At <= settings.Freshness && _state.Gate.IsShutForWrites;

    /// <summary>What was resumed is not given up before the first word of the guard.</summary>
    private bool LacksGuard() => settings.RequiresGuard && !(_state.IsGuardLooking ?? _state.Lease?.Held is not null);

    private (Fitness Fitness, string Reason) Judge() =>
        LocalHealth.Judge(_state.Server, _state.TroubleSince, settings.Freshness, settings.TroubleGrace, now);

    /// <summary>Runs the lease machine and turns what it asks for into effects.</summary>
    private void Run(Func<LeaseState, LeaseRules, LeaseStep> step)
    {
        if (_state.Lease is not { } lease)
        {
            return;
        }

        var (next, output) = step(lease, settings.Rules);
        _state = _state with { Lease = next };
        foreach (var item in output)
        {
            Obey(item);
        }
    }

    private void Obey(LeaseOutput item)
    {
        switch (item)
        {
            case LeaseOutput.Send send:
                _sends.Add(new Effect.Ask(send.To, send.Request));
                break;
            case LeaseOutput.Acquired(var lease):
                _state = _state with { HighestTerm = Max(_state.HighestTerm, lease.Term), RecordedRefusal = RefusalReason.None };
                Note(
                    DecisionKind.LeaseAcquired, lease.Term, "", "holder", $"accepted by {string.Join(", ", lease.Voters)}",
                    now - (lease.Deadline - settings.Lease.Duration), votes: new VoteCount(lease.Voters.Count, 0));
                BeginPromotion(lease);
                break;
            case LeaseOutput.Yielded(var lease, var reason):
                Note(DecisionKind.LeaseYielded, lease.Term, "holder", "", reason);
                break;
            case LeaseOutput.ElectionFailed failed when failed.Reason != _state.RecordedRefusal:
                _state = _state with { RecordedRefusal = failed.Reason };
                var holder = failed.Holder is { } owner ? $", held by {owner.Member}" : "";
                Note(DecisionKind.ElectionRefused, new Term(failed.Ballot.Round), "", "", $"{failed.Reason}{holder}; {failed.Yes} yes, {failed.No} no", votes: new VoteCount(failed.Yes, failed.No));
                break;
            default:
                break;
        }
    }

    private void Note(
        DecisionKind kind, Term term, string from, string to, string reason, TimeSpan? took = null, DecisionActor actor = DecisionActor.Daemon, VoteCount? votes = null) =>
        Note(new Decision(kind, term, from, to, reason) { Took = took, Actor = actor, Votes = votes, Timeline = _state.Server.Timeline, Lsn = _state.Server.WriteLsn });

    private void Note(Decision decision) => _records.Add(new Effect.Record(decision));

    private static Term Max(Term left, Term right) => left >= right ? left : right;
}
