using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Wire.V1;
using static Harepd.Peers.WireLimits;

namespace Harepd.Peers;

/// <summary>What a planned move says in the reports, between the words of the decisions and those of the wire. Reading throws InvalidArgument and nothing else.</summary>
internal static class OfferWire
{
    public static Offer Write(HandoverOffer offer) => new()
    {
        To = Clean(offer.To.Address, MaxName),
        Number = offer.Number,
        Term = offer.Term.Value,
        Timeline = VoteWire.Write(offer.Timeline),
        End = offer.End.Value,
        ForNanos = Nanos(offer.For),
    };

    public static OfferAnswer Write(HandoverAnswer answer) => new()
    {
        To = Clean(answer.To.Address, MaxName),
        Number = answer.Number,
        Received = answer.Received.Value,
        Refusal = Clean(answer.Refusal, MaxReason),
    };

    public static HandoverOffer Read(Offer wire) => new(
        new MemberId(Name(wire.To, "offer.to")),
        Number(wire.Number, 0, "offer.number"),
        new Term(Number(wire.Term, 0, "offer.term")),
        VoteWire.Read(wire.Timeline),
        new Lsn(wire.End),
        Span(wire.ForNanos, "offer.for"));

    public static HandoverAnswer Read(OfferAnswer wire) => new(
        new MemberId(Name(wire.To, "offer_answer.to")),
        Number(wire.Number, 0, "offer_answer.number"),
        new Lsn(wire.Received),
        Text(wire.Refusal, MaxReason, "offer_answer.refusal"));
}
