using System.Net;
using Harepd.Core.Model;
using Harepd.Http;
using Harepd.Tests.Haproxy;
using Xunit;

namespace Harepd.Tests.Http;

/// <summary>A real HAProxy configured as for Patroni, and with agent-check, against our answers.</summary>
public sealed class HaproxyPullTests : IDisposable
{
    private readonly NamedServer _a = new("a");
    private volatile NodeStatus _status = Statuses.Standby(Statuses.At()) with { LeaseDeadline = Instant.Zero };

    public void Dispose() => _a.Dispose();

    [Theory]
    [InlineData("option httpchk")]
    [InlineData("option httpchk OPTIONS /primary")]
    [InlineData("option httpchk HEAD /primary")]
    [InlineData("option httpchk\n  http-check send meth GET uri /primary ver HTTP/1.1 hdr Host x")]
    public async Task The_write_route_follows_the_lease(string check)
    {
        await using var server = await StatusServer.StartAsync(Options(), () => _status, CancellationToken.None);
        using var haproxy = Checked($"{check}\n  http-check expect status 200", $"check addr {server.EndPoint.Address} port {server.EndPoint.Port} inter 50ms fall 1 rise 1 on-marked-down shutdown-sessions");
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) is null, "a standby is no primary");

        _status = Statuses.Primary(Statuses.At()) with { LeaseDeadline = Instant.Forever };
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) == "a", "the primary is found");
        using var session = new Caller(haproxy.Write);

        // Nobody publishes anything any more: the lease runs out on its own.
        _status = _status with { LeaseDeadline = Statuses.At() + TimeSpan.FromMilliseconds(300) };
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) is null, "the route ends with the lease");
        session.WaitEnd();
    }

    [Fact]
    public async Task A_loop_that_hangs_takes_every_route_with_it()
    {
        _status = Statuses.Standby(Statuses.At());
        await using var server = await StatusServer.StartAsync(Options() with { HeartbeatLimit = TimeSpan.FromMilliseconds(500) }, Beating, CancellationToken.None);
        using var haproxy = Checked("option httpchk GET /replica\n  http-check expect status 200", $"check addr {server.EndPoint.Address} port {server.EndPoint.Port} inter 50ms fall 1 rise 1");
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) == "a", "the replica is found");

        _isHanging = true;

        TestNet.Eventually(() => Caller.Ask(haproxy.Write) is null, "a node that decides nothing serves nothing");
    }

    [Fact]
    public async Task The_agent_moves_the_route_and_respects_an_operators_maint()
    {
        var asked = 0;
        await using var agent = AgentServer.Start(Options(), () =>
        {
            Interlocked.Increment(ref asked);
            return _status;
        });
        using var haproxy = Checked("", $"agent-check agent-addr {agent.EndPoint.Address} agent-port {agent.EndPoint.Port} agent-inter 50ms agent-send \"write\\n\"");
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) is null, "down");
        _status = Statuses.Primary(Statuses.At()) with { LeaseDeadline = Instant.Forever };
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) == "a", "up");

        haproxy.Command("set server wr/a state maint");
        var before = Volatile.Read(ref asked);
        TestNet.Eventually(() => Volatile.Read(ref asked) >= before + 3, "the agent goes on being asked");

        Assert.Null(Caller.Ask(haproxy.Write));
        Assert.Equal(1, haproxy.Admin("wr", "a"));
        haproxy.Command("set server wr/a state ready");
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) == "a", "up again");
    }

    [Fact]
    public async Task An_agent_that_is_gone_is_believed_on_which_is_why_it_is_never_used_alone()
    {
        _status = Statuses.Primary(Statuses.At()) with { LeaseDeadline = Instant.Forever };
        var agent = AgentServer.Start(Options(), () => _status);
        await using var checks = await StatusServer.StartAsync(Options(), () => _status, CancellationToken.None);
        using var alone = Checked("", $"agent-check agent-addr {agent.EndPoint.Address} agent-port {agent.EndPoint.Port} agent-inter 50ms");
        using var beside = Checked(
            "option httpchk OPTIONS /primary\n  http-check expect status 200",
            $"check addr {checks.EndPoint.Address} port {checks.EndPoint.Port} inter 50ms fall 1 rise 1 agent-check agent-addr {agent.EndPoint.Address} agent-port {agent.EndPoint.Port} agent-inter 50ms");
        TestNet.Eventually(() => Caller.Ask(alone.Write) == "a" && Caller.Ask(beside.Write) == "a", "both are up");

        await agent.DisposeAsync();
        await checks.DisposeAsync();

        TestNet.Eventually(() => Caller.Ask(beside.Write) is null, "the check fails with the daemon");
        Assert.Equal("a", Caller.Ask(alone.Write));
    }

    [Fact]
    public async Task The_agent_tells_reads_from_writes()
    {
        await using var agent = AgentServer.Start(Options(), () => _status);
        using var haproxy = Checked("", $"agent-check agent-addr {agent.EndPoint.Address} agent-port {agent.EndPoint.Port} agent-inter 50ms agent-send \"read\\n\"");

        TestNet.Eventually(() => haproxy.Command("show stat wr 4 -1")!.Contains("L7OK", StringComparison.Ordinal), "the agent is heard");

        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    private volatile bool _isHanging;

    private static StatusServerOptions Options() =>
        new() { EndPoint = new IPEndPoint(TestNet.Address(), 0), HeartbeatLimit = TimeSpan.FromHours(1) };

    private NodeStatus Beating() => _isHanging ? _status : _status = Statuses.Standby(Statuses.At());

    private RealHaproxy Checked(string proxy, string server) => new(self => $"""
        listen wr
          bind {self.Write}
          {proxy}
          {_a.Config} {server}
        """);
}
