using System.Collections.Immutable;
using Google.Protobuf;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Harepd.Grpc;
using Harepd.Peers;
using Harepd.Wire.V1;
using Xunit;
using Ballot = Harepd.Core.Model.Ballot;
using RefusalReason = Harepd.Core.Decide.RefusalReason;

namespace Harepd.Tests.Peers;

public sealed class WireTests
{
    private const int Seeds = 500;

    [Fact]
    public void Votes_and_answers_survive_the_wire()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new RandomMessages(seed);
            var from = random.Identity();
            var request = random.Request(from);
            var reply = random.Reply();

            Assert.True(request == VoteWire.Read(Through(VoteWire.Write(request, from))), $"seed {seed}: {request}");
            Assert.True(reply == VoteWire.Read(Through(VoteWire.Write(reply))), $"seed {seed}: {reply}");
        }
    }

    [Fact]
    public void Reports_and_states_survive_the_wire()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new RandomMessages(seed);
            var reports = random.Reports();
            var wire = new ShareReply();
            ReportWire.Write(reports, TimeSpan.Zero, wire.Reports);
            var status = random.Status();
            var back = PeerStatus.Read(Through(status.Write()));

            Assert.True(reports.SequenceEqual(ReportWire.Read(Through(wire).Reports)), $"seed {seed}");
            Assert.True(status.Reports.SequenceEqual(back.Reports), $"seed {seed}");
            Assert.True(status.Routes.SequenceEqual(back.Routes), $"seed {seed}");
            Assert.True(status == back with { Reports = status.Reports, Routes = status.Routes }, $"seed {seed}");
        }
    }

    [Fact]
    public void Whatever_comes_in_is_read_or_refused_as_invalid_and_nothing_else()
    {
        for (var seed = 0; seed < 4 * Seeds; seed++)
        {
            var random = new RandomMessages(seed);
            var from = random.Identity();
            var share = new ShareRequest { From = VoteWire.Write(from, from.Membership.Stamp) };
            ReportWire.Write(random.Reports(), TimeSpan.Zero, share.Reports);
            Try(seed, random.Spoil(VoteWire.Write(random.Request(from), from).ToByteArray()), VoteRequest.Parser, message => VoteWire.Read(message));
            Try(seed, random.Spoil(VoteWire.Write(random.Reply()).ToByteArray()), VoteReply.Parser, message => VoteWire.Read(message));
            Try(seed, random.Spoil(share.ToByteArray()), ShareRequest.Parser, message => _ = (VoteWire.ReadSender(message.From), ReportWire.Read(message.Reports)));
            Try(seed, random.Spoil(random.Status().Write().ToByteArray()), StatusReply.Parser, message => PeerStatus.Read(message));
            Try(seed, random.Bytes(200), VoteRequest.Parser, message => VoteWire.Read(message));
        }
    }

    public static TheoryData<string, Action<VoteRequest>> BadRequests => new()
    {
        { "from is missing", request => request.From = null },
        { "stamp is missing", request => request.From.Stamp = null },
        { "cluster is missing", request => request.From.Stamp.Cluster = "" },
        { "cluster is longer than 300 letters", request => request.From.Stamp.Cluster = new string('c', 301) },
        { "epoch is 0, out of range", request => request.From.Stamp.Epoch = 0 },
        { "from.member is missing", request => request.From.Member = "" },
        { "from.member holds a control character", request => request.From.Member = "a\nb" },
        { "ballot is missing", request => request.Ballot = null },
        { "ballot.round is 0, out of range", request => request.Ballot.Round = 0 },
        { "ballot.round is 9223372036854775807, out of range", request => request.Ballot.Round = long.MaxValue },
        { "ballot is another member's", request => request.Ballot.Member = "10.0.0.9:1" },
        { "ballot is another member's", request => request.Ballot.Incarnation++ },
        { "kind is missing", request => request.ClearKind() },
        { "duration is -1 ns, out of range", request => request.Accept.DurationNanos = -1 },
        { "duration is 9223372036854775807 ns, out of range", request => request.Accept.DurationNanos = long.MaxValue },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public void A_bad_request_is_refused_by_its_field(string reason, Action<VoteRequest> spoil)
    {
        var from = new PeerIdentity(new Membership("main", 1, [new MemberId("a:1")]), new MemberId("a:1"), new Incarnation(1));
        var wire = VoteWire.Write(
            new LeaseRequest.Accept(from.Membership.Stamp, new Ballot(7, from.Self, from.Incarnation), TimeSpan.FromSeconds(3), default, default), from);
        spoil(wire);

        var refusal = Assert.Throws<GrpcException>(() => VoteWire.Read(wire));

        Assert.Equal((GrpcStatusCode.InvalidArgument, reason), (refusal.Code, refusal.Detail));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(-1)]
    public void A_reason_without_meaning_is_refused(int reason)
    {
        var wire = VoteWire.Write(new LeaseReply.Refused(new MemberId("a:1"), new Ballot(7, new MemberId("a:1"), default), RefusalReason.Abstaining, default, null, default));
        wire.Refused.Reason = (Wire.V1.RefusalReason)reason;

        Assert.Equal(GrpcStatusCode.InvalidArgument, Assert.Throws<GrpcException>(() => VoteWire.Read(wire)).Code);
    }

    public static TheoryData<string, Action<Report>> BadReports => new()
    {
        { "report.member is missing", report => report.Member = "" },
        { "report.version is -1, out of range", report => report.Version = -1 },
        { "report.age is -5 ns, out of range", report => report.AgeNanos = -5 },
        { "report.replay_delay is -5 ns, out of range", report => report.ReplayDelayNanos = -5 },
        { "report.health is 99, which has no meaning here", report => report.Health = (Health)99 },
        { "report.gate is 3, which has no meaning here", report => report.Gate = (Wire.V1.Gate)3 },
        { "report.held_term is -1, out of range", report => report.HeldTerm = -1 },
        { "report.reason is longer than 1000 letters", report => report.Reason = new string('r', 1001) },
        { "report.node_name holds a control character", report => report.NodeName = "a\u001b[2J" },
    };

    [Theory]
    [MemberData(nameof(BadReports))]
    public void A_bad_report_is_refused_by_its_field(string reason, Action<Report> spoil)
    {
        var wire = new ShareRequest();
        ReportWire.Write([new RandomMessages(1).Report()], TimeSpan.Zero, wire.Reports);
        spoil(wire.Reports[0]);

        var refusal = Assert.Throws<GrpcException>(() => ReportWire.Read(wire.Reports));

        Assert.Equal((GrpcStatusCode.InvalidArgument, reason), (refusal.Code, refusal.Detail));
    }

    [Fact]
    public void Too_many_reports_are_refused_and_never_sent()
    {
        var random = new RandomMessages(1);
        ImmutableArray<NodeReport> many = [.. Enumerable.Range(0, WireLimits.MaxReports + 5).Select(_ => random.Report())];
        var wire = new ShareRequest();
        ReportWire.Write(many, TimeSpan.Zero, wire.Reports);
        Assert.Equal(WireLimits.MaxReports, wire.Reports.Count);

        wire.Reports.Add(wire.Reports[0]);
        Assert.Equal(GrpcStatusCode.InvalidArgument, Assert.Throws<GrpcException>(() => ReportWire.Read(wire.Reports)).Code);
    }

    [Fact]
    public void A_report_with_the_longest_texts_is_cleaned_and_fits()
    {
        var longest = new string('日', 5000) + "\u0007";
        var report = new RandomMessages(3).Report() with
        {
            NodeName = "a\nb\ud800", Address = longest, UpstreamHost = longest, Reason = longest,
            Age = TimeSpan.FromSeconds(-1), ReplayDelay = TimeSpan.MinValue,
        };
        var wire = new ShareRequest();
        ReportWire.Write([.. Enumerable.Repeat(report, WireLimits.MaxReports)], TimeSpan.Zero, wire.Reports);

        var back = ReportWire.Read(Through(wire).Reports)[0];

        Assert.InRange(wire.CalculateSize(), 1, WireLimits.MaxShareBytes);
        Assert.Equal("a b ", back.NodeName);
        Assert.Equal(new string('日', WireLimits.MaxReason), back.Reason);
        Assert.Equal((TimeSpan.Zero, TimeSpan.Zero), (back.Age, back.ReplayDelay!.Value));
    }

    [Fact]
    public void A_share_that_waited_says_so_in_the_ages()
    {
        var report = new RandomMessages(3).Report() with { Age = TimeSpan.FromSeconds(1) };
        var wire = new ShareRequest();
        ReportWire.Write([report], TimeSpan.FromSeconds(2), wire.Reports);

        Assert.Equal(TimeSpan.FromSeconds(3), ReportWire.Read(wire.Reports)[0].Age);
    }

    [Fact]
    public void A_lease_is_never_shorter_for_the_voter_than_it_was_sent() =>
        Assert.Equal(new TimeSpan(1), WireLimits.Span(1, "duration"));

    [Fact]
    public void The_words_of_wire_and_decisions_have_the_same_numbers()
    {
        AssertSame<ServerHealth, Health>();
        AssertSame<Core.Model.Gate, Wire.V1.Gate>();
        Assert.Equal(
            Enum.GetValues<RefusalReason>().Skip(1).Select(reason => (reason.ToString(), (int)reason)),
            Enum.GetValues<Wire.V1.RefusalReason>().Skip(1).Select(reason => (reason.ToString(), (int)reason)));
    }

    private static void AssertSame<TCore, TWire>()
        where TCore : struct, Enum
        where TWire : struct, Enum =>
        Assert.Equal(
            Enum.GetValues<TCore>().Select(value => (value.ToString(), (int)(object)value)),
            Enum.GetValues<TWire>().Select(value => (value.ToString(), (int)(object)value)));

    private static T Through<T>(T message)
        where T : IMessage<T>, new() => new MessageParser<T>(() => new T()).ParseFrom(message.ToByteArray());

    private static void Try<T>(int seed, byte[] bytes, MessageParser<T> parser, Action<T> read)
        where T : IMessage<T>
    {
        try
        {
            read(parser.ParseFrom(bytes));
        }
        catch (InvalidProtocolBufferException)
        {
            // Not a message at all: the gRPC room answers that.
        }
        catch (GrpcException refusal)
        {
            Assert.True(refusal.Code == GrpcStatusCode.InvalidArgument, $"seed {seed}: {refusal}");
        }
    }
}
