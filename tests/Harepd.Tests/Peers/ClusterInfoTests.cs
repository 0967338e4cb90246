using Harepd.Core.Model;
using Harepd.Grpc;
using Harepd.Peers;
using Harepd.Tests.Grpc;
using Harepd.Wire.Models;
using Xunit;

namespace Harepd.Tests.Peers;

/// <summary>GetClusterInfo as peers of the 2021 daemon need it.</summary>
public sealed class ClusterInfoTests : IDisposable
{
    private const string PythonClient = """
        import sys
        import grpc
        from models import messages_pb2 as m, messages_pb2_grpc as s
        target, authority, cert, key = sys.argv[1:5]
        read = lambda path: None if path == "-" else open(path, "rb").read()
        channel = grpc.insecure_channel(target) if authority == "-" else grpc.secure_channel(
            target, grpc.ssl_channel_credentials(read(authority), read(key), read(cert)))
        try:
            a = s.ClusterInfoStub(channel).GetClusterInfo(m.WhatYouKnow(ip="127.0.0.9", nodeId=-1), timeout=20)
            print("OK", a.ip, a.nodeId, a.nodeName, a.witness, sorted(a.master), sorted(a.slaves))
        except grpc.RpcError as e:
            print(e.code().name, e.details())
        """;

    private static readonly ClusterKnowledge Healthy = new(
        3,
        [
            new(ClusterRowKind.Primary, "10.0.0.1"), new(ClusterRowKind.Standby, "10.0.0.3"), new(ClusterRowKind.Standby, "::ffff:10.0.0.2"),
            new(ClusterRowKind.Standby, "fd00::1"), new(ClusterRowKind.Standby, "/var/run/postgresql"), new(ClusterRowKind.Standby, "db4"),
            new(ClusterRowKind.Witness, "10.0.0.9"),
        ]);

    private readonly Certificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public async Task Rows_are_told_as_bare_ipv4_and_odd_rows_do_not_break_the_others()
    {
        var desk = new ClusterInfoDesk("10.0.0.3", "node_3", _ => ValueTask.FromResult<ClusterKnowledge?>(Healthy), Calls.Patience);

        Assert.Equal(
            new IKnow { Ip = "10.0.0.3", NodeId = 3, NodeName = "node_3", Witness = "10.0.0.9", Master = { "10.0.0.1" }, Slaves = { "10.0.0.3", "10.0.0.2" } },
            await desk.AnswerAsync(default));
    }

    public static TheoryData<string> Inabilities => ["unknown", "throws", "empty", "witness only", "only IPv6", "hangs"];

    [Theory]
    [MemberData(nameof(Inabilities))]
    public async Task Where_nothing_can_be_said_the_status_is_not_ok(string why)
    {
        var desk = new ClusterInfoDesk("10.0.0.3", "node_3", async token =>
        {
            switch (why)
            {
                case "unknown":
                    return null;
                case "throws":
                    throw new InvalidOperationException("user repmgr at /var/run");
                case "hangs":
                    await Task.Delay(Timeout.Infinite, CancellationToken.None);
                    return null;
                case "witness only":
                    return new ClusterKnowledge(3, [new(ClusterRowKind.Witness, "10.0.0.9")]);
                case "only IPv6":
                    return new ClusterKnowledge(3, [new(ClusterRowKind.Primary, "fd00::1")]);
                default:
                    return new ClusterKnowledge(3, []);
            }
        }, TimeSpan.FromMilliseconds(100));

        var refusal = await Assert.ThrowsAsync<GrpcException>(async () => await desk.AnswerAsync(default).AsTask().WaitAsync(Calls.Patience));

        Assert.Equal(GrpcStatusCode.Unavailable, refusal.Code);
        Assert.DoesNotContain("repmgr at", refusal.Detail);
    }

    [Fact]
    public async Task Two_hundred_inquiries_at_once_cost_one_look()
    {
        var cluster = new Cluster("127.10.7.1");
        var looks = 0;
        var inside = 0;
        var most = 0;
        await using var service = await StartAsync(cluster, async token =>
        {
            Interlocked.Increment(ref looks);
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Delay(50, token);
            Interlocked.Decrement(ref inside);
            return Healthy;
        });
        var inquiry = new GoInquiry("10.0.0.5", -1, new PeerLinkOptions(), Calls.Patience);

        // Each with a connection of its own, as peers of the 2021 daemon do.
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => inquiry.AskAsync(cluster.Members[0], default)));

        Assert.All(answers, answer => Assert.Equal("10.0.0.1", Assert.Single(Assert.IsType<GoAnswer.Told>(answer).Primaries)));
        Assert.Equal(1, most);
        Assert.InRange(looks, 1, 20);
    }

    [Fact]
    public async Task A_shared_answer_is_asked_for_anew_when_it_is_old()
    {
        var looks = 0;
        var shared = new SharedAnswer<int>(_ => ValueTask.FromResult(Interlocked.Increment(ref looks)), TimeSpan.FromMilliseconds(1), Calls.Patience);

        Assert.Equal(1, await shared.GetAsync(default));
        await WaitFor.TrueAsync(async () => await shared.GetAsync(default) >= 3);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("tls")]
    [InlineData("mtls")]
    public async Task A_foreign_client_asks_us(string mode)
    {
        var cluster = new Cluster("127.10.7.11");
        using var python = new PythonPeer();
        var material = _certificates.Material("node", "127.10.7.11", Certificates.ServerUsage);
        await using var service = await StartAsync(cluster, _ => ValueTask.FromResult<ClusterKnowledge?>(Healthy), cluster.Options(0) with
        {
            Tls = mode == "plain" ? null : () => material,
            RequiresClientCertificate = mode == "mtls",
        });
        var (certificate, key) = _certificates.Sign("go", "x", usages: Certificates.ClientUsage);
        string[] files = mode switch
        {
            "plain" => ["-", "-", "-"],
            "tls" => [python.Write("ca.pem", _certificates.Authority), "-", "-"],
            _ => [python.Write("ca.pem", _certificates.Authority), python.Write("c.pem", certificate), python.Write("c.key", key)],
        };

        var line = await Task.Run(() => python.Run([python.Write("ask.py", PythonClient), cluster.Members[0].Address, .. files]));

        Assert.Equal("OK 127.10.7.11 3 node_0 10.0.0.9 ['10.0.0.1'] ['10.0.0.2', '10.0.0.3']", line.TrimEnd());
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("tls")]
    [InlineData("mtls")]
    public async Task We_ask_a_foreign_server(string mode)
    {
        using var python = new PythonPeer();
        var (certificate, key) = _certificates.Sign("node", "127.10.7.21", usages: Certificates.ServerUsage);
        string[] files = mode == "plain"
            ? ["-", "-", "-"]
            : [python.Write("ca.pem", _certificates.Authority), python.Write("s.pem", certificate), python.Write("s.key", key)];
        var (_, port) = await python.ServeAsync(
            [python.Write("server.py", PythonPrograms.Server), "127.10.7.21", .. files, mode == "mtls" ? "required" : "none"]);
        var ours = _certificates.Material("caller", "x", Certificates.ClientUsage);
        var inquiry = new GoInquiry("127.0.0.9", -1, new PeerLinkOptions { Tls = mode == "plain" ? null : () => ours }, Calls.Patience);

        var answer = await inquiry.AskAsync(new MemberId($"127.10.7.21:{port}"), default);

        var told = Assert.IsType<GoAnswer.Told>(answer);
        Assert.Equal("127.0.0.1 | a b", $"{string.Join(' ', told.Primaries)} | {string.Join(' ', told.Standbys)}");
        Assert.True(told.AgreesWith(told with { Witness = "other" }));
        Assert.False(told.AgreesWith(told with { Standbys = ["a"] }));
    }

    [Fact]
    public async Task A_peer_that_cannot_say_or_be_reached_is_a_failure_with_its_reason()
    {
        var cluster = new Cluster("127.10.7.31");
        var inquiry = new GoInquiry("127.0.0.9", -1, new PeerLinkOptions(), Calls.Patience);
        Assert.Equal(GrpcStatusCode.Unavailable, Assert.IsType<GoAnswer.Failed>(await inquiry.AskAsync(cluster.Members[0], default)).Code);

        await using var service = await StartAsync(cluster, _ => ValueTask.FromResult<ClusterKnowledge?>(null));
        var failed = Assert.IsType<GoAnswer.Failed>(await inquiry.AskAsync(cluster.Members[0], default));
        Assert.Equal((GrpcStatusCode.Unavailable, "the cluster's tables cannot be read now"), (failed.Code, failed.Reason));

        using var silent = Calls.Listen("127.10.7.32");
        var hasty = new GoInquiry("127.0.0.9", -1, new PeerLinkOptions(), TimeSpan.FromMilliseconds(200));
        var late = Assert.IsType<GoAnswer.Failed>(await hasty.AskAsync(new MemberId(silent.LocalEndPoint!.ToString()!), default));
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, late.Code);
    }

    private static Task<PeerService> StartAsync(
        Cluster cluster, Func<CancellationToken, ValueTask<ClusterKnowledge?>> find, PeerServiceOptions? options = null) => PeerService.StartAsync(
        cluster.Identity(0), options ?? cluster.Options(0), cluster.Handlers(0) with { FindCluster = find }, new ListLog(), CancellationToken.None);
}
