using System.Collections.Immutable;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Grpc;
using Harepd.Peers;
using Harepd.Tests.Grpc;
using Harepd.Wire.Health;
using Harepd.Wire.Models;
using Harepd.Wire.V1;
using Xunit;

namespace Harepd.Tests.Peers;

public sealed class PeerServiceTests
{
    private readonly ListLog _log = new();

    [Fact]
    public async Task A_bad_vote_is_refused_before_the_voter_and_written_down_once()
    {
        var cluster = new Cluster("127.10.6.1", "127.10.6.2");
        var asked = 0;
        await using var service = await StartAsync(cluster, cluster.Handlers(0) with
        {
            Vote = (request, _) =>
            {
                asked++;
                return ValueTask.FromResult<LeaseReply>(new LeaseReply.Promised(cluster.Members[0], request.Ballot));
            },
        });
        using var channel = Calls.Open(service.EndPoint);

        for (var i = 0; i < 3; i++)
        {
            var refusal = await Assert.ThrowsAsync<GrpcException>(() => channel.CallAsync(PeerMethods.Vote, new VoteRequest(), Calls.Patience, default));
            Assert.Equal((GrpcStatusCode.InvalidArgument, "from is missing"), (refusal.Code, refusal.Detail));
        }

        Assert.Equal(0, asked);
        Assert.Equal(["Warning refused Vote from 127.0.0.1: from is missing"], _log.Lines);
    }

    [Fact]
    public async Task The_voters_own_refusals_pass_as_answers()
    {
        var cluster = new Cluster("127.10.6.11", "127.10.6.12");
        var refused = new LeaseReply.Refused(
            cluster.Members[0], cluster.Prepare(1).Ballot, Core.Decide.RefusalReason.OtherMembership, default, null, TimeSpan.Zero);
        await using var service = await StartAsync(cluster, cluster.Handlers(0) with { Vote = (_, _) => ValueTask.FromResult<LeaseReply>(refused) });
        using var channel = Calls.Open(service.EndPoint);

        var answer = await channel.CallAsync(PeerMethods.Vote, VoteWire.Write(cluster.Prepare(1), cluster.Identity(1)), Calls.Patience, default);

        Assert.Equal(refused, VoteWire.Read(answer));
    }

    [Fact]
    public async Task Reports_of_strangers_are_refused_and_those_of_another_epoch_taken()
    {
        var cluster = new Cluster("127.10.6.21", "127.10.6.22");
        var taken = 0;
        await using var service = await StartAsync(cluster, cluster.Handlers(0) with
        {
            Share = _ =>
            {
                taken++;
                return [];
            },
        });
        using var channel = Calls.Open(service.EndPoint);
        var member = cluster.Members[1];
        var stranger = new MemberId("127.10.6.99:1");
        PeerIdentity[] refused =
        [
            new(new Membership("another", 1, cluster.Members), member, default),
            new(new Membership("main", 1, [stranger]), stranger, default),
        ];

        foreach (var identity in refused)
        {
            var refusal = await Assert.ThrowsAsync<GrpcException>(() => ShareAsync(channel, identity));
            Assert.Equal(GrpcStatusCode.FailedPrecondition, refusal.Code);
        }

        Assert.Equal(0, taken);
        await ShareAsync(channel, new PeerIdentity(new Membership("main", 2, cluster.Members, [member]), member, default));
        Assert.Equal(1, taken);
    }

    [Fact]
    public async Task Status_and_health_are_told()
    {
        var cluster = new Cluster("127.10.6.31", "127.10.6.32");
        var isServing = true;
        await using var service = await StartAsync(cluster, cluster.Handlers(0) with { IsServing = () => isServing });
        using var channel = Calls.Open(service.EndPoint);

        var status = await StatusInquiry.AskAsync(cluster.Members[0], new PeerLinkOptions(), Calls.Patience, default);
        Assert.Equal((cluster.Members[0], "1.2.3", cluster.Membership.Stamp), (status.Member, status.Version, status.Stamp));
        Assert.Equal(["node_0"], status.Reports.Select(report => report.NodeName));

        Task<HealthCheckResponse> CheckAsync(string name) =>
            channel.CallAsync(GrpcHealth.Check, new HealthCheckRequest { Service = name }, Calls.Patience, default);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await CheckAsync("harepd.v1.Peer")).Status);
        isServing = false;
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, (await CheckAsync("")).Status);
    }

    [Fact]
    public async Task A_fault_is_written_down_once_and_not_told()
    {
        var cluster = new Cluster("127.10.6.41", "127.10.6.42");
        await using var service = await StartAsync(cluster, cluster.Handlers(0) with { Vote = (_, _) => throw new InvalidOperationException("/secret") });
        using var channel = Calls.Open(service.EndPoint);

        for (var i = 0; i < 3; i++)
        {
            var failure = await Assert.ThrowsAsync<GrpcException>(
                () => channel.CallAsync(PeerMethods.Vote, VoteWire.Write(cluster.Prepare(1), cluster.Identity(1)), Calls.Patience, default));
            Assert.Equal((GrpcStatusCode.Unknown, "unexpected failure"), (failure.Code, failure.Detail));
        }

        Assert.Single(_log.Lines);
    }

    [Fact]
    public async Task Warming_up_leaves_no_trace_with_the_voter()
    {
        var cluster = new Cluster("127.10.6.51", "127.10.6.52");
        await using var service = await StartAsync(cluster, cluster.Handlers(0) with { Vote = (_, _) => throw new InvalidOperationException("asked") });

        await service.WarmUpAsync(default);

        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_vote_waits_for_the_loop_and_is_joined_with_its_answer()
    {
        var cluster = new Cluster("127.10.6.61");
        var posted = new List<long>();
        var hasRoom = true;
        var desk = new VoteDesk((number, _) =>
        {
            posted.Add(number);
            return hasRoom;
        });

        var first = desk.AskAsync(cluster.Prepare(0, 1), default).AsTask();
        var second = desk.AskAsync(cluster.Prepare(0, 2), default).AsTask();
        desk.Answer(posted[1], new LeaseReply.Promised(cluster.Members[0], cluster.Prepare(0, 2).Ballot));
        desk.Answer(999, new LeaseReply.Promised(cluster.Members[0], cluster.Prepare(0, 2).Ballot));
        Assert.Equal(2, (await second).Ballot.Round);
        Assert.False(first.IsCompleted);

        using var impatience = new CancellationTokenSource();
        var third = desk.AskAsync(cluster.Prepare(0, 3), impatience.Token).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);

        hasRoom = false;
        var full = await Assert.ThrowsAsync<GrpcException>(async () => await desk.AskAsync(cluster.Prepare(0, 4), default));
        Assert.Equal(GrpcStatusCode.ResourceExhausted, full.Code);
    }

    private static Task<ShareReply> ShareAsync(GrpcChannel channel, PeerIdentity identity) => channel.CallAsync(
        PeerMethods.Share, new ShareRequest { From = VoteWire.Write(identity, identity.Membership.Stamp) }, Calls.Patience, default);

    private Task<PeerService> StartAsync(Cluster cluster, PeerHandlers handlers) =>
        PeerService.StartAsync(cluster.Identity(0), cluster.Options(0), handlers, _log, CancellationToken.None);
}
