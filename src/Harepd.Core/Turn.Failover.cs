using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>Whether to take over: how the others look, what is known of the last primary, the verdict. Does nothing where repmgr promotes.</summary>
internal sealed partial class Turn
{
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(5);

    private void SettleFailover()
    {
        if (!settings.Failover.IsJudged)
        {
            return;
        }

        NoteOwnLateness();
        WatchMembers();
        SettleHandover();
        SettleProof();
        var verdict = HandoverVerdict() ?? Failover.Judge(Question());
        var promotion = _state.Promotion;
        var isOutranked = verdict.IsOutranked;
        _state = _state with
        {
            Promotion = promotion with
            {
                Verdict = verdict,
                OutrankedSince = isOutranked ? promotion.OutrankedSince ?? now : null,
                NextWake = NextWake(verdict),
            },
        };
        GetReady(promotion.Verdict, verdict);
        LookAnew(verdict);
        RecordVerdict(verdict);
        RebindWhenPromoted();
    }

    private void GetReady(FailoverVerdict before, FailoverVerdict verdict)
    {
        if (verdict.IsImminent && !before.IsImminent && settings.Failover.Promoter == Promoter.Harepd)
        {
            _sends.Add(new Effect.GetReady());
        }
    }

    private FailoverQuestion Question()
    {
        var promotion = _state.Promotion;
        var foreign = _state.Voter?.LiveAt(now) is { } live && live.Owner != _state.Lease!.Me ? live : null;
        return new FailoverQuestion
        {
            Now = now,
            Self = settings.Self,
            NodeName = settings.NodeName,
            Policy = settings.Failover,
            Server = _state.Server,
            View = _state.View,
            Sightings = promotion.Sightings,
            Last = promotion.Last,
            IsLeaseFree = foreign is null,
            LeaseHolder = foreign?.Owner.Member,
            LeaseEnds = foreign?.Expiry ?? Instant.Forever,
            FailedUntil = promotion.FailedUntil,
            OutrankedSince = promotion.OutrankedSince,
            PausedUntil = promotion.PausedUntil,
            Withheld = Withheld(),
            IsOrdered = promotion.Ordered is not null,
            AcceptsLoss = promotion.Ordered is { Order.AcceptsLoss: true },
            Failovers = promotion.Failovers,
            Note = promotion.Proof?.Given is null ? _state.Voter?.Note : null,
            Doubt = DoubtNow(),
            StreamSilence = settings.Lease.RenewInterval,
            SilentAfter = settings.SilentAfter,
            Freshness = settings.Freshness,
        };
    }

    /// <summary>A node that was late itself accuses nobody: it was the one that did not listen.</summary>
    private void NoteOwnLateness()
    {
        if (_state.Promotion.AttentiveSince == Instant.Zero || now - _before.LastStep > settings.SilentAfter)
        {
            _state = _state with { Promotion = _state.Promotion with { AttentiveSince = now } };
        }
    }

    /// <summary>Keeps how each member looks and since when, who the last primary was, and which failovers there were.</summary>
    private void WatchMembers()
    {
        var promotion = _state.Promotion;
        var sightings = promotion.Sightings;
        var last = promotion.Last;
        foreach (var member in settings.Membership.Everyone)
        {
            var seen = _state.View.Reports.GetValueOrDefault(member);
            var sight = Sighting.Of(seen, promotion.AttentiveSince, now, settings.SilentAfter, settings.Freshness);
            if (!sightings.TryGetValue(member, out var known) || known.Sight != sight)
            {
                sightings = sightings.SetItem(member, new Sighting(sight, now));
            }

            if (seen is not null)
            {
                last = LastPrimary.After(last, seen.Report);
            }
        }

        if (!ReferenceEquals(sightings, promotion.Sightings) || !ReferenceEquals(last, promotion.Last))
        {
            _state = _state with { Promotion = promotion with { Sightings = sightings, Last = last } };
        }

        CountFailovers();
    }

    private void CountFailovers()
    {
        foreach (var seen in _state.View.Reports.Values)
        {
            var promotion = _state.Promotion;
            if (seen.Report is { PromotedAge: { } age } report && report.HeldTerm > promotion.CountedTerm)
            {
                var at = seen.HeardAt - TimeSpan.FromTicks(Math.Clamp(age.Ticks, 0, TimeSpan.TicksPerDay));
                _state = _state with { Promotion = promotion with { CountedTerm = report.HeldTerm, Failovers = FlapGuard.With(promotion.Failovers, at) } };
            }
        }
    }

    private Instant NextWake(FailoverVerdict verdict) => Instant.NextAfter(
        now, verdict.Until, _state.Promotion.NextFollow, _state.Promotion.Ordered?.Ends ?? Instant.Forever, _state.Promotion.Current?.Deadline ?? Instant.Forever);

    /// <summary>While a failover waits for evidence, the own server's last word is asked for every few milliseconds.</summary>
    private void LookAnew(FailoverVerdict verdict)
    {
        var isWaiting = verdict.Answer == FailoverAnswer.Wait && _state.Server.InRecovery == true && _state.Promotion.Current is null;
        if (verdict.IsOnTheirWord || (!verdict.IsImminent && (!isWaiting || verdict.Until - now > settings.SilentAfter)))
        {
            return;
        }

        var nextLook = _state.Promotion.NextLook;
        if (now >= nextLook)
        {
            _sends.Add(new Effect.Look());
            nextLook = now + LookPause;
        }

        _state = _state with { Promotion = _state.Promotion with { NextLook = nextLook, NextWake = Instant.Min(_state.Promotion.NextWake, nextLook) } };
    }

    private void RecordVerdict(FailoverVerdict verdict)
    {
        var promotion = _state.Promotion;
        if (verdict.Answer == FailoverAnswer.Quiet || verdict.Reason == promotion.Recorded || promotion.Current is not null)
        {
            if (verdict.Answer == FailoverAnswer.Quiet && promotion.Recorded.Length > 0)
            {
                _state = _state with { Promotion = promotion with { Recorded = "" } };
            }

            return;
        }

        _state = _state with { Promotion = promotion with { Recorded = verdict.Reason } };
        var kind = verdict.Answer != FailoverAnswer.Go ? DecisionKind.FailoverWaits
            : settings.Failover.Promoter == Promoter.None ? DecisionKind.FailoverAdvised
            : DecisionKind.FailoverBegins;
        Note(kind, _state.HighestTerm, "", "", verdict.Reason);
    }
}
