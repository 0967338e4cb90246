using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// A promotion, step by step: the lease for the timeline that is, the gate confirmed shut, the server told, the lease bound to the timeline that
/// came of it, and only then the ordinary way to an open gate (ADR 0008).
/// </summary>
internal sealed partial class Turn
{
    /// <summary>
    /// What a standby asks the lease for, and what a holder keeps it for while its server is being promoted; null when no promotion is in play and
    /// the ordinary rule decides.
    /// </summary>
    private (Candidacy? Candidacy, string Reason)? PromotionCandidacy()
    {
        if (settings.Failover.Promoter != Promoter.Harepd)
        {
            return null;
        }

        var server = _state.Server;
        if (_state.Lease!.Held is { Under: { } under } held)
        {
            if (_state.Promotion.Current is not { } current || current.Term != held.Term)
            {
                return null;
            }

            var trouble = TroubleOf(current);
            return trouble is not null ? (null, trouble)
                : IsNewTimeline(server, current) ? (new Candidacy(server.Timeline, server.SystemId), "the server was promoted")
                : (under, "a promotion is under way");
        }

        var isAsking = _state.Promotion.Verdict.Answer == FailoverAnswer.Go && _state.Lease.Held is null && _state.Gate.IsShutForWrites;
        return isAsking && NeedsProof() && !HasProof() ? (null, "it is not proven yet that nothing acknowledged is lacking")
            : isAsking ? (new Candidacy(server.Timeline, server.SystemId), _state.Promotion.Verdict.Reason) : null;
    }

    /// <summary>A standby that may take over once the promises prove that it loses nothing (ADR 0018).</summary>
    private bool IsProving() => settings.Failover.Promoter == Promoter.Harepd && _state.Promotion.Verdict.Answer == FailoverAnswer.Go && _state.Lease!.Held is null && NeedsProof();

    /// <summary>Why the promotion under way must end; null while it may go on.</summary>
    private string? TroubleOf(Promotion current)
    {
        var server = _state.Server;
        return server.Health is ServerHealth.Down or ServerHealth.StoppedCleanly or ServerHealth.Hung ? "the server that is being promoted failed"
            : now - server.At > settings.Freshness ? "the server that is being promoted has not been seen lately"
            : now >= current.Deadline ? "the promotion was not done in time"
            : !current.IsAsked && _state.Promotion.Verdict.Answer is FailoverAnswer.Wait or FailoverAnswer.No ? _state.Promotion.Verdict.Reason
            : null;
    }

    private static bool IsNewTimeline(ServerObservation server, Promotion current) =>
        server is { Health: ServerHealth.Running, InRecovery: false, Timeline.IsUnknown: false } && server.Timeline != current.From;

    /// <summary>Nobody is let in from the decision to take over until the lease is for the timeline that the server writes.</summary>
    private bool IsPromoting()
    {
        if (settings.Failover.Promoter != Promoter.Harepd)
        {
            return false;
        }

        var isAboutTo = _state.Promotion.Verdict is { Answer: FailoverAnswer.Go } or { IsImminent: true } && _state.Lease!.Held is null;
        return isAboutTo || (_state.Promotion.IsPending && _state.Server.InRecovery != false) || (_state.Promotion.Current is { } current && current.Term == _state.Lease!.Held?.Term);
    }

    /// <summary>The lease was given to a standby: the promotion begins.</summary>
    private void BeginPromotion(HeldLease lease)
    {
        if (settings.Failover.Promoter == Promoter.Harepd && _state.Server.InRecovery == true && lease.Under is { } under)
        {
            var current = new Promotion(lease.Term, under.Timeline, now, now + settings.Failover.PromoteTimeout) { IsPlanned = IsHandedOver(), IsOrdered = _state.Promotion.Ordered is not null };
            _state = _state with { Promotion = _state.Promotion with { Current = current } };
        }
    }

    /// <summary>The server writes a new timeline: the voters are asked to note it at once.</summary>
    private void RebindWhenPromoted()
    {
        if (_state.Promotion.Current is { IsRebinding: false } current && _state.Lease!.Held?.Term == current.Term && IsNewTimeline(_state.Server, current))
        {
            _state = _state with { Promotion = _state.Promotion with { Current = current with { IsRebinding = true } } };
            var candidacy = WithStatement(new Candidacy(_state.Server.Timeline, _state.Server.SystemId));
            Run((lease, rules) => LeaseMachine.Rebind(lease, rules, candidacy, now));
        }
    }

    /// <summary>After lease and gate are settled: asks the server once the gate is confirmed shut, and ends what is done or lost.</summary>
    private void SettlePromotion()
    {
        if (_state.Promotion.Current is not { } current)
        {
            return;
        }

        if (_state.Lease!.Held is not { } held || held.Term != current.Term)
        {
            FailPromotion(current, "the lease was lost or given up");
            return;
        }

        if (held.Under?.Timeline != current.From)
        {
            EndPromotion(current, held);
            return;
        }

        var isShut = _state.Gate is { IsKnown: true, Now: Gate.Fenced, Asked: Gate.Fenced, IsPending: false };
        if (!current.IsAsked && isShut && _state.Server.InRecovery == true)
        {
            _opens.Add(new Effect.Promote(current.Term, held.FenceAt, current.From));
            _state = _state with { Promotion = _state.Promotion with { Current = current with { IsAsked = true }, IsPending = true } };
            var lacks = _state.Promotion.Last is { } last ? Failover.MayLack(last, _state.Server) : 0;
            NotePossibleLoss(current);
            var loss = lacks == 0 ? "nothing known is lacking" : $"at least {lacks} bytes of the last primary's position are lacking";
            Note(DecisionKind.PromotionAsked, current.Term, "standby", "primary", $"received {_state.Server.WriteLsn} on timeline {current.From}; {loss}", now - current.Began, ActorOf(current));
        }
    }

    /// <summary>The lease is for the new timeline: from here on this is a holder like any other, and the gate may open.</summary>
    private void EndPromotion(Promotion current, HeldLease held)
    {
        _state = _state with
        {
            Promotion = current.IsPlanned
                ? _state.Promotion with { Current = null, Recorded = "" }
                : _state.Promotion with { Current = null, PromotedTerm = current.Term, PromotedAt = now, Recorded = "" },
        };
        _state = _state with { Promotion = _state.Promotion with { ToNote = current.Term } };
        var took = now - current.Began;
        Note(
            DecisionKind.PromotionDone, current.Term, current.From.ToString(), held.Under!.Timeline.ToString(), $"{took.TotalMilliseconds:F0} ms after the lease", took, ActorOf(current));
        SettleGate();
    }

    private void FailPromotion(Promotion current, string reason)
    {
        // Others get their turn before this one tries again.
        var failedUntil = current.IsAsked ? now + 2 * settings.Failover.PromoteTimeout : now;
        _state = _state with { Promotion = _state.Promotion with { Current = null, FailedUntil = failedUntil, Recorded = "" } };
        Note(DecisionKind.PromotionFailed, current.Term, "", "", reason, now - current.Began, ActorOf(current));
    }

    private static DecisionActor ActorOf(Promotion current) => current.IsPlanned || current.IsOrdered ? DecisionActor.Operator : DecisionActor.Daemon;

    /// <summary>A promotion that was asked for has come, or its server ended before it did.</summary>
    private void SettlePending(ServerObservation before, ServerObservation server)
    {
        var isAnother = before.PostmasterStarted is { } one && server.PostmasterStarted is { } other && one != other;
        var isOver = server.InRecovery == false || server.Health is ServerHealth.Down or ServerHealth.StoppedCleanly || isAnother;
        if (_state.Promotion.IsPending && isOver)
        {
            _state = _state with { Promotion = _state.Promotion with { IsPending = false } };
        }
    }

    private void TakePromotion(Input.PromotionAsked asked)
    {
        if (!asked.IsAsked && _state.Promotion.Current?.Term == asked.Term)
        {
            _state = _state with { Promotion = _state.Promotion with { IsPending = false } };
        }

        if (_state.Promotion.Current is not { } current || current.Term != asked.Term || asked.IsAsked)
        {
            return;
        }

        FailPromotion(current, asked.Detail);
        Run((lease, _) => lease.Held?.Term == asked.Term ? LeaseMachine.GiveUp(lease, asked.Detail) : new LeaseStep(lease, []));
    }

    private TimeSpan? PromotedAge() =>
        _state.Lease?.Held is { } held && held.Term == _state.Promotion.PromotedTerm ? now - _state.Promotion.PromotedAt : null;

    /// <summary>
    /// A standby follows the holder when its upstream is gone or is no primary any more. One that streams from another standby of the holder's
    /// timeline stays where it is.
    /// </summary>
    private void SettleUpstream()
    {
        var isStandby = _state.Server is { Health: ServerHealth.Running, InRecovery: true };
        if (settings.Failover.Promoter != Promoter.Harepd || !isStandby || IsPromoting() || Holder() is not { } holder)
        {
            return;
        }

        // A new holder is followed at once: the old primary may be back in a moment, and what it would send is no part of the new timeline.
        if (now < _state.Promotion.NextFollow && holder.HeldTerm == _state.Promotion.FollowedTerm)
        {
            return;
        }

        var isElsewhere = !_state.Server.IsStreaming || IsWrongUpstream(_state.Server.UpstreamHost, holder);
        if (isElsewhere && holder.Address.Length > 0 && holder.System == _state.Server.SystemId && CanFollow(_state.Server, holder.Timeline))
        {
            _opens.Add(new Effect.Follow(holder.HeldTerm, holder.Address, holder.ServerPort));
            _state = _state with { Promotion = _state.Promotion with { NextFollow = now + settings.FollowInterval, FollowedTerm = holder.HeldTerm } };
        }
    }

    /// <summary>False where this server has what the holder's timeline does not: it must be rewound first.</summary>
    private static bool CanFollow(ServerObservation server, TimelinePoint holder) => !holder.IsUnknown
        && (server.Timeline == holder || (server.Timeline.Timeline < holder.Timeline && server.WriteLsn <= holder.SwitchLsn));

    private NodeReport? Holder() => _state.Promotion.Sightings
        .Where(pair => pair.Value.Sight == Sight.Holder && pair.Key != settings.Self)
        .Select(pair => _state.View.Reports[pair.Key].Report)
        .FirstOrDefault(report => report is { Gate: Gate.ReadWrite, InRecovery: false });

    private bool IsWrongUpstream(string host, NodeReport holder) => host != holder.Address && _state.View.Reports.Values.Any(seen =>
        seen.Report.Address == host && _state.Promotion.Sightings.GetValueOrDefault(seen.Report.Member).Sight != Sight.Standby);
}
