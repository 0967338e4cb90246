using System.Collections.Immutable;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Harepd.Peers;

namespace Harepd.Tests.Peers;

/// <summary>Messages of every shape from a seed; a failing test names the seed.</summary>
internal sealed class RandomMessages(int seed)
{
    private readonly Random _random = new(seed);

    public PeerIdentity Identity()
    {
        var self = Member();
        var membership = new Membership(Word(), _random.NextInt64(1, 1L << 40), Enumerable.Range(0, _random.Next(0, 14)).Select(_ => Member()).Append(self));
        return new PeerIdentity(membership, self, Incarnation());
    }

    public LeaseRequest Request(PeerIdentity from)
    {
        var ballot = new Ballot(Number(1), from.Self, from.Incarnation);
        return _random.Next(3) switch
        {
            0 => new LeaseRequest.Prepare(from.Membership.Stamp, ballot),
            1 => new LeaseRequest.Accept(from.Membership.Stamp, ballot, Span(), Point(), new SystemId((ulong)_random.NextInt64())) { Stated = Maybe() ? Waits() : null },
            _ => new LeaseRequest.Release(from.Membership.Stamp, ballot),
        };
    }

    public LeaseReply Reply()
    {
        var voter = Member();
        var ballot = Ballot();
        return _random.Next(4) switch
        {
            0 => new LeaseReply.Promised(voter, ballot) { Note = Maybe() ? new SynchronyNote(Ballot(), new SystemId((ulong)_random.NextInt64()), Point(), Maybe() ? Waits() : null) : null },
            1 => new LeaseReply.Accepted(voter, ballot),
            2 => new LeaseReply.Released(voter, ballot),
            _ => new LeaseReply.Refused(
                voter, ballot, Any<RefusalReason>(1), Maybe() ? Ballot() : default, Maybe() ? new LeaseOwner(Member(), Incarnation()) : null, Span()),
        };
    }

    private Synchrony Waits() => new(_random.Next(4), Enumerable.Range(0, _random.Next(5)).Select(_ => Word()));

    public ImmutableArray<NodeReport> Reports() => [.. Enumerable.Range(0, _random.Next(0, WireLimits.MaxReports + 1)).Select(_ => Report())];

    public PeerStatus Status() => new()
    {
        Member = Member(),
        Incarnation = Incarnation(),
        Stamp = Identity().Membership.Stamp,
        Version = Word(),
        Term = new Term(Number(0)),
        Holder = Maybe() ? new LeaseOwner(Member(), Incarnation()) : null,
        Reports = Reports(),
        Routes = Maybe() ? [Word(), Word()] : [],
    };

    public byte[] Bytes(int max)
    {
        var bytes = new byte[_random.Next(max)];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Changes a few bytes, so that most of the message stays what it was.</summary>
    public byte[] Spoil(byte[] message)
    {
        var spoiled = (byte[])message.Clone();
        for (var i = _random.Next(1, 4); i > 0 && spoiled.Length > 0; i--)
        {
            spoiled[_random.Next(spoiled.Length)] = (byte)_random.Next(256);
        }

        return spoiled;
    }

    public NodeReport Report() => new()
    {
        Member = Member(),
        Incarnation = Incarnation(),
        Version = Number(0),
        Age = Span(),
        NodeName = Maybe() ? Word() : "",
        Address = Maybe() ? "10.0.0.1" : "",
        IsWitness = Maybe(),
        Health = Any<ServerHealth>(0),
        InRecovery = Maybe() ? Maybe() : null,
        Timeline = Point(),
        System = new SystemId((ulong)_random.NextInt64()),
        WriteLsn = new Lsn((ulong)_random.NextInt64()),
        ReplayLsn = new Lsn((ulong)_random.NextInt64()),
        ReplayDelay = Maybe() ? Span() : null,
        IsStreaming = Maybe(),
        UpstreamHost = Maybe() ? Word() : "",
        Gate = Any<Gate>(0),
        HeldTerm = new Term(Number(0)),
        Reason = Maybe() ? $"because of {Word()} — größer 🐘" : "",
        IsRogue = Maybe(),
        IsShut = Maybe(),
        IsPromotable = Maybe(),
        IsGivenUp = Maybe(),
        Failover = Maybe() ? $"because of {Word()}" : "",
        Priority = _random.Next(),
        UpstreamSilence = Maybe() ? Span() : null,
        ServerPort = _random.Next(0, WireLimits.MaxPort + 1),
        PromotedAge = Maybe() ? Span() : null,
        HasReceived = Maybe(),
        AsksPositions = Maybe() ? Ballot() : default,
        SeenAfter = Maybe() ? Ballot() : default,
        InForce = Maybe() ? Word() : "",
        Stated = Maybe() ? Word() : "",
        Synchronous = Maybe() ? $"{Word()},{Word()}" : "",
        Noted = Maybe() ? new DurableTimeline(new SystemId((ulong)_random.NextInt64()), Point()) : null,
        NotedVersion = 0,
        Quorum = Maybe() ? Word() : "",
        Offer = Maybe() ? new HandoverOffer(Member(), Number(0), new Term(Number(0)), Point(), new Lsn((ulong)_random.NextInt64()), Span()) : null,
        Orders = Maybe() ? new OrdersTold(Span(), Span()) { IsStopped = Maybe() } : null,
        Pause = Maybe() ? new FailoverPause(Number(0), Span()) : null,
        OfferAnswer = Maybe() ? new HandoverAnswer(Member(), Number(0), new Lsn((ulong)_random.NextInt64()), Maybe() ? Word() : "") : null,
    };

    private bool Maybe() => _random.Next(2) == 0;

    private string Word() => $"w{_random.Next(1000)}";

    private MemberId Member() => new($"10.{_random.Next(256)}.0.1:{_random.Next(1, 65536)}");

    private Incarnation Incarnation() => new((ulong)_random.NextInt64(long.MinValue, long.MaxValue));

    private Ballot Ballot() => new(Number(1), Member(), Incarnation());

    private long Number(long least) => Maybe() ? _random.NextInt64(least, 1000) : _random.NextInt64(least, WireLimits.MaxNumber + 1);

    private TimeSpan Span() => new(Maybe() ? _random.NextInt64(0, TimeSpan.TicksPerMinute) : _random.NextInt64(0, WireLimits.MaxSpan.Ticks + 1));

    private TimelinePoint Point() => Maybe() ? default : new((uint)_random.Next(), new Lsn((ulong)_random.NextInt64()));

    private T Any<T>(int from)
        where T : struct, Enum
    {
        var all = Enum.GetValues<T>();
        return all[_random.Next(from, all.Length)];
    }
}
