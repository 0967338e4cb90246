using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Wire.V1;
using static Harepd.Peers.WireLimits;
using Ballot = Harepd.Core.Model.Ballot;
using RefusalReason = Harepd.Core.Decide.RefusalReason;
using TimelinePoint = Harepd.Core.Model.TimelinePoint;

namespace Harepd.Peers;

/// <summary>Votes between the words of the decisions and the words of the wire. Reading throws InvalidArgument and nothing else.</summary>
internal static class VoteWire
{
    public static VoteRequest Write(LeaseRequest request, PeerIdentity from)
    {
        var wire = new VoteRequest { From = Write(from, request.Stamp), Ballot = Write(request.Ballot) };
        switch (request)
        {
            case LeaseRequest.Prepare:
                wire.Prepare = new Prepare();
                break;
            case LeaseRequest.Accept accept:
                wire.Accept = new Accept
                {
                    DurationNanos = Nanos(accept.Duration),
                    Timeline = Write(accept.Timeline),
                    System = accept.System.Value,
                    Stated = SynchronyWire.Write(accept.Stated),
                };
                break;
            case LeaseRequest.Release:
                wire.Release = new Release();
                break;
        }

        return wire;
    }

    /// <summary>A candidate speaks for itself alone: the ballot's member and incarnation are the sender's.</summary>
    public static LeaseRequest Read(VoteRequest wire)
    {
        var from = ReadSender(wire.From);
        var ballot = ReadBallot(wire.Ballot, "ballot") ?? throw Refuse("ballot", "is missing");
        if (ballot.Owner != from.Owner)
        {
            throw Refuse("ballot", "is another member's");
        }

        return wire.KindCase switch
        {
            VoteRequest.KindOneofCase.Prepare => new LeaseRequest.Prepare(from.Stamp, ballot),
            VoteRequest.KindOneofCase.Release => new LeaseRequest.Release(from.Stamp, ballot),
            VoteRequest.KindOneofCase.Accept => new LeaseRequest.Accept(
                from.Stamp, ballot, Span(wire.Accept.DurationNanos, "duration"), Read(wire.Accept.Timeline), new SystemId(wire.Accept.System))
            {
                Stated = SynchronyWire.Read(wire.Accept.Stated),
            },
            _ => throw Refuse("kind", "is missing"),
        };
    }

    public static VoteReply Write(LeaseReply reply)
    {
        var wire = new VoteReply { Voter = reply.Voter.ToString(), Ballot = Write(reply.Ballot) };
        switch (reply)
        {
            case LeaseReply.Promised promised:
                wire.Promised = new Promised { Note = SynchronyWire.Write(promised.Note) };
                break;
            case LeaseReply.Accepted:
                wire.Accepted = new Accepted();
                break;
            case LeaseReply.Released:
                wire.Released = new Released();
                break;
            case LeaseReply.Refused refused:
                wire.Refused = new Refused
                {
                    Reason = (Wire.V1.RefusalReason)refused.Reason,
                    Highest = refused.Highest == default ? null : Write(refused.Highest),
                    Holder = refused.Holder is { } holder ? Write(holder) : null,
                    RemainingNanos = Nanos(refused.Remaining),
                };
                break;
        }

        return wire;
    }

    public static LeaseReply Read(VoteReply wire)
    {
        var voter = new MemberId(Name(wire.Voter, "voter"));
        var ballot = ReadBallot(wire.Ballot, "ballot") ?? throw Refuse("ballot", "is missing");
        return wire.KindCase switch
        {
            VoteReply.KindOneofCase.Promised => new LeaseReply.Promised(voter, ballot) { Note = SynchronyWire.Read(wire.Promised.Note) },
            VoteReply.KindOneofCase.Accepted => new LeaseReply.Accepted(voter, ballot),
            VoteReply.KindOneofCase.Released => new LeaseReply.Released(voter, ballot),
            VoteReply.KindOneofCase.Refused => new LeaseReply.Refused(
                voter,
                ballot,
                ReadReason(wire.Refused.Reason),
                ReadBallot(wire.Refused.Highest, "highest") ?? default,
                ReadOwner(wire.Refused.Holder, "holder"),
                Span(wire.Refused.RemainingNanos, "remaining")),
            _ => throw Refuse("kind", "is missing"),
        };
    }

    public static Sender Write(PeerIdentity from, MembershipStamp stamp) => new()
    {
        Stamp = Write(stamp),
        Member = from.Self.ToString(),
        Incarnation = from.Incarnation.Value,
    };

    public static Stamp Write(MembershipStamp stamp) => new() { Cluster = stamp.Cluster, Epoch = stamp.Epoch, Hash = stamp.Hash };

    public static (MembershipStamp Stamp, LeaseOwner Owner) ReadSender(Sender? wire) => wire is null
        ? throw Refuse("from", "is missing")
        : (ReadStamp(wire.Stamp), new LeaseOwner(new MemberId(Name(wire.Member, "from.member")), new Incarnation(wire.Incarnation)));

    public static MembershipStamp ReadStamp(Stamp? wire) => wire is null
        ? throw Refuse("stamp", "is missing")
        : new MembershipStamp(Name(wire.Cluster, "cluster"), Number(wire.Epoch, 1, "epoch"), wire.Hash);

    public static Owner Write(LeaseOwner owner) => new() { Member = owner.Member.ToString(), Incarnation = owner.Incarnation.Value };

    public static LeaseOwner? ReadOwner(Owner? wire, string field) => wire is null
        ? null
        : new LeaseOwner(new MemberId(Name(wire.Member, field)), new Incarnation(wire.Incarnation));

    public static Wire.V1.TimelinePoint? Write(TimelinePoint point) =>
        point == default ? null : new Wire.V1.TimelinePoint { Timeline = point.Timeline, SwitchLsn = point.SwitchLsn.Value };

    public static TimelinePoint Read(Wire.V1.TimelinePoint? wire) =>
        wire is null ? default : new TimelinePoint(wire.Timeline, new Lsn(wire.SwitchLsn));

    public static Wire.V1.Ballot Write(Ballot ballot) => new()
    {
        Round = ballot.Round,
        Member = ballot.Member.ToString(),
        Incarnation = ballot.Incarnation.Value,
    };

    public static Ballot? ReadBallot(Wire.V1.Ballot? wire, string field) => wire is null
        ? null
        : new Ballot(Number(wire.Round, 1, field + ".round"), new MemberId(Name(wire.Member, field + ".member")), new Incarnation(wire.Incarnation));

    private static RefusalReason ReadReason(Wire.V1.RefusalReason reason) =>
        reason > Wire.V1.RefusalReason.Unspecified && Enum.IsDefined(reason)
            ? (RefusalReason)reason
            : throw Refuse("reason", $"is {(int)reason}, which has no meaning here");
}
