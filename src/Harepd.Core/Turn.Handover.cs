using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// The standby's half of a planned move: the holder says that it will release the lease to this member. That stands in for the evidence that a failover
/// waits for, and for nothing else: the lease is asked for and the server promoted by the ordinary way (ADR 0014).
/// </summary>
internal sealed partial class Turn
{
    private void SettleHandover()
    {
        var known = _state.Promotion.Handover;
        var next = FindOffer(known);
        if (next != known)
        {
            _state = _state with { Promotion = _state.Promotion with { Handover = next } };
        }
    }

    private Handover? FindOffer(Handover? known)
    {
        // Once it is the primary of a later term, the move is over for this member.
        var isDone = _state.Server.InRecovery == false && _state.Promotion.Current is null;
        foreach (var (member, seen) in _state.View.Reports)
        {
            if (member == settings.Self || isDone || seen.Report.Offer is not { } offer || offer.To != settings.Self)
            {
                continue;
            }

            var until = seen.MadeAt + (offer.For < HandoverOffer.Longest ? offer.For : HandoverOffer.Longest);
            if (now >= until)
            {
                continue;
            }

            var isSame = known is not null && known.From == member && known.Offer.Number == offer.Number;
            var isUnderWay = isSame && known!.Refusal.Length == 0 && _state.Promotion.Current is not null;
            var refusal = isUnderWay ? "" : RefusalOf(member, offer);
            return new Handover(member, offer, isSame ? Instant.Min(known!.Until, until) : until, refusal)
            {
                IsReady = refusal.Length == 0 && (isUnderWay || (offer.End != default && _state.Server.WriteLsn >= offer.End)),
            };
        }

        return null;
    }

    /// <summary>Why the offer does not fit what is known here; empty when it does.</summary>
    private string RefusalOf(MemberId from, HandoverOffer offer)
    {
        var server = _state.Server;
        var live = _state.Voter?.LiveAt(now);
        return Withheld() is { Length: > 0 } withheld ? withheld
            : !IsPromotableNow() ? "the server may not be promoted now"
            : offer.Timeline != server.Timeline ? $"the server is on timeline {server.Timeline}, not on {offer.Timeline}"
            : _state.Promotion.Last is not { } last || last.Member != from || last.Term != offer.Term ? $"{from} is not known here as the holder of term {offer.Term}"
            : live is not null && live.Owner.Member != from && live.Owner.Member != settings.Self ? $"{live.Owner.Member} holds the lease by the voter here"
            : "";
    }

    /// <summary>True while a planned move makes this member the next primary.</summary>
    private bool IsHandedOver() => _state.Promotion.Handover is { Refusal: "", IsReady: true };

    /// <summary>What a planned move says about taking over; null without one, and then the ordinary judgement counts.</summary>
    private FailoverVerdict? HandoverVerdict()
    {
        if (_state.Promotion.Handover is not { Refusal: "" } handover)
        {
            return null;
        }

        var question = Question();
        var reason = $"{handover.From} hands over to this node";

        // A holder that is gone before it handed over is replaced like any other.
        return !question.IsLeaseFree
            ? FailoverVerdict.Wait(reason, Instant.Min(handover.Until, question.LeaseEnds)) with { IsImminent = true, IsOnTheirWord = handover.Offer.End == default }
            : handover.IsReady ? FailoverVerdict.Go(reason)
            : null;
    }

    private HandoverAnswer? OfferAnswerNow() => _state.Promotion.Handover is { } handover
        ? new HandoverAnswer(handover.From, handover.Offer.Number, handover.IsReady ? _state.Server.WriteLsn : default, handover.Refusal)
        : null;
}
