using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Peers;
using Harepd.Tests.Grpc;
using Xunit;

namespace Harepd.Tests.Peers;

public sealed class PeerLinkTests
{
    private readonly ListLog _log = new();
    private readonly ConcurrentQueue<LeaseReply> _replies = new();
    private readonly ConcurrentQueue<NodeReport> _heard = new();

    [Fact]
    public async Task Votes_and_reports_go_to_every_member_and_answers_come_back()
    {
        var cluster = new Cluster("127.10.5.1", "127.10.5.2", "127.10.5.3");
        await using var second = await StartAsync(cluster, 1);
        await using var third = await StartAsync(cluster, 2);
        using var link = Link(cluster);

        link.Send(cluster.Members[1], cluster.Prepare(0, 11));
        link.Send(cluster.Members[2], cluster.Prepare(0, 12));
        link.Send(new MemberId("127.10.5.99:1"), cluster.Prepare(0, 13));
        link.Share([cluster.Report(0)]);

        await WaitFor.TrueAsync(() => _replies.Count == 2 && _heard.Count == 2);
        Assert.Equal([(cluster.Members[1], 11L), (cluster.Members[2], 12L)], _replies.Select(reply => (reply.Voter, reply.Ballot.Round)).Order());
        Assert.Equal(["node_1", "node_2"], _heard.Select(report => report.NodeName).Order());
        Assert.All(link.Reach, state => Assert.True(state.IsReachable));
        Assert.Equal(2, _log.Lines.Count(line => line.Contains("is reached")));
    }

    [Fact]
    public async Task A_frozen_peer_never_delays_another()
    {
        var cluster = new Cluster("127.10.5.11", "127.10.5.12", "127.10.5.13");
        using var frozen = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        frozen.Bind(IPEndPoint.Parse(cluster.Members[1].Address));
        frozen.Listen(10);
        await using var third = await StartAsync(cluster, 2);

        // The deadline is longer than the test's patience: whatever waited for the frozen peer would fail the test.
        using var link = Link(cluster, new PeerLinkOptions { VoteDeadline = Calls.Patience * 3, ShareDeadline = Calls.Patience * 3 });
        for (var round = 1; round <= 100; round++)
        {
            link.Send(cluster.Members[1], cluster.Prepare(0, round));
            link.Share([cluster.Report(0)]);
            link.Send(cluster.Members[2], cluster.Prepare(0, round));
            await WaitFor.TrueAsync(() => _replies.Count == round);
        }

        Assert.All(_replies, reply => Assert.Equal(cluster.Members[2], reply.Voter));
    }

    [Fact]
    public async Task Votes_without_an_answer_are_bounded()
    {
        var cluster = new Cluster("127.10.5.21", "127.10.5.22");
        var asked = 0;
        var release = new TaskCompletionSource();
        await using var second = await StartAsync(cluster, 1, cluster.Handlers(1) with
        {
            Vote = async (request, _) =>
            {
                Interlocked.Increment(ref asked);
                await release.Task;
                return new LeaseReply.Promised(cluster.Members[1], request.Ballot);
            },
        });
        using var link = Link(cluster, new PeerLinkOptions { MaxVotesInFlight = 4, VoteDeadline = Calls.Patience });

        for (var round = 1; round <= 50; round++)
        {
            link.Send(cluster.Members[1], cluster.Prepare(0, round));
        }

        await WaitFor.TrueAsync(() => Volatile.Read(ref asked) == 4);
        release.SetResult();
        await WaitFor.TrueAsync(() => _replies.Count == 4);
        link.Send(cluster.Members[1], cluster.Prepare(0, 51));
        await WaitFor.TrueAsync(() => _replies.Any(reply => reply.Ballot.Round == 51));
        Assert.Equal(5, asked);
    }

    [Fact]
    public async Task Of_the_shares_that_wait_only_the_newest_goes()
    {
        var cluster = new Cluster("127.10.5.31", "127.10.5.32");
        var versions = new ConcurrentQueue<long>();
        var release = new SemaphoreSlim(0);
        await using var second = await StartAsync(cluster, 1, cluster.Handlers(1) with
        {
            Share = reports =>
            {
                versions.Enqueue(reports[0].Version);
                release.Wait(Calls.Patience);
                return [];
            },
        });
        using var link = Link(cluster, new PeerLinkOptions { ShareDeadline = Calls.Patience });

        link.Share([cluster.Report(0) with { Version = 1 }]);
        await WaitFor.TrueAsync(() => versions.Count == 1);
        for (var version = 2; version <= 9; version++)
        {
            link.Share([cluster.Report(0) with { Version = version }]);
        }

        release.Release(2);
        await WaitFor.TrueAsync(() => versions.Count == 2);
        Assert.Equal([1, 9], versions);
    }

    [Fact]
    public async Task A_peer_that_goes_and_comes_is_written_down_once_each_time()
    {
        var cluster = new Cluster("127.10.5.41", "127.10.5.42");
        using var link = Link(cluster);
        for (var round = 1; round <= 20; round++)
        {
            link.Send(cluster.Members[1], cluster.Prepare(0, round));
        }

        await WaitFor.TrueAsync(() => link.Reach[0].IsReachable == false);
        await using (await StartAsync(cluster, 1))
        {
            await UntilAsync(link, cluster, isReachable: true);
        }

        await UntilAsync(link, cluster, isReachable: false);
        Assert.Equal(["Warning", "Information", "Warning"], _log.Lines.Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public async Task An_answer_of_another_member_does_not_count()
    {
        var cluster = new Cluster("127.10.5.51", "127.10.5.52", "127.10.5.53");
        await using var second = await StartAsync(cluster, 1, cluster.Handlers(2));
        using var link = Link(cluster);

        link.Send(cluster.Members[1], cluster.Prepare(0));

        await WaitFor.TrueAsync(() => _log.Lines.Any(line => line.Contains("not the member")));
        Assert.Empty(_replies);
    }

    [Fact]
    public async Task A_refusal_is_written_down_once()
    {
        var cluster = new Cluster("127.10.5.61", "127.10.5.62");
        var strange = new PeerIdentity(new Membership("another", 1, cluster.Members), cluster.Members[0], new Incarnation(1));
        await using var second = await StartAsync(cluster, 1);
        using var link = new PeerLink(strange, [cluster.Members[1]], new PeerLinkOptions(), _replies.Enqueue, Hear, _log);

        var shared = 0;
        await WaitFor.TrueAsync(() =>
        {
            link.Share([cluster.Report(0)]);
            return _log.Lines.Count >= 2 && ++shared > 20;
        });
        Assert.Equal(
            [$"Information peer {cluster.Members[1]} is reached", $"Warning peer {cluster.Members[1]} refuses Share: FailedPrecondition, this is cluster main"],
            _log.Lines);
    }

    private static Task<PeerService> StartAsync(Cluster cluster, int index, PeerHandlers? handlers = null) =>
        PeerService.StartAsync(cluster.Identity(index), cluster.Options(index), handlers ?? cluster.Handlers(index), new ListLog(), CancellationToken.None);

    private static async Task UntilAsync(PeerLink link, Cluster cluster, bool isReachable) => await WaitFor.TrueAsync(() =>
    {
        link.Send(cluster.Members[1], cluster.Prepare(0));
        return link.Reach[0].IsReachable == isReachable;
    });

    private PeerLink Link(Cluster cluster, PeerLinkOptions? options = null) =>
        new(cluster.Identity(0), cluster.Members.Skip(1), options ?? new PeerLinkOptions { VoteDeadline = Calls.Patience, ShareDeadline = Calls.Patience }, _replies.Enqueue, Hear, _log);

    private void Hear(ImmutableArray<NodeReport> reports)
    {
        foreach (var report in reports)
        {
            _heard.Enqueue(report);
        }
    }
}
