using System.Net.Sockets;
using Harepd.Haproxy;
using Xunit;

namespace Harepd.Tests.Haproxy;

/// <summary>What HAProxy's own health checks and agents do to a route, and what the lane makes of it.</summary>
public sealed class HaproxyCheckTests : IDisposable
{
    private readonly NamedServer _a = new("a");
    private readonly NamedServer _b = new("b");

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void Ready_routes_at_once_before_any_check_ran()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " check inter 1h disabled", _b.Config);
        using var bench = new LaneBench(haproxy.Socket);

        Assert.True(bench.Do(LaneBench.Write(1)).Serving);

        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public void A_server_down_by_its_check_is_lifted_once_for_a_new_desire()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " check inter 1h fastinter 1h downinter 1h", _b.Config);
        haproxy.Command("set server wr/a health down");
        TestNet.Eventually(() => haproxy.Command("show stat wr 4 -1")!.Contains("DOWN", StringComparison.Ordinal), "down");
        using var bench = new LaneBench(haproxy.Socket);

        Assert.True(bench.Do(LaneBench.Write(1)).Serving);
        Assert.Equal("a", Caller.Ask(haproxy.Write));

        // Later verdicts of the check are HAProxy's to make: the lane reports them and does not fight.
        haproxy.Command("set server wr/a health down");
        var down = bench.Await(a => a is { Ok: true, Serving: false });
        Assert.Contains("down by its check", down.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_whose_agent_said_down_and_died_is_lifted_for_a_new_desire()
    {
        using var agent = new Agent("down\n");
        using var haproxy = RealHaproxy.WithServers($"{_a.Config} agent-check agent-addr {agent.End.Address} agent-port {agent.End.Port} agent-inter 100", _b.Config);
        TestNet.Eventually(() => haproxy.Command("show stat wr 4 -1")!.Contains("DOWN", StringComparison.Ordinal), "the agent is heard");
        agent.Dispose();
        using var bench = new LaneBench(haproxy.Socket);

        Assert.True(bench.Do(LaneBench.Write(1)).Serving);

        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public void An_agent_that_says_ready_does_not_undo_a_cut_for_long()
    {
        using var agent = new Agent("ready up\n");
        using var haproxy = RealHaproxy.WithServers($"{_a.Config} agent-check agent-addr {agent.End.Address} agent-port {agent.End.Port} agent-inter 100", _b.Config);
        using var bench = new LaneBench(haproxy.Socket, reconcileMs: 20);
        bench.Do(LaneBench.Cut(1));
        var asked = agent.Asked;

        TestNet.Eventually(() => agent.Asked > asked + 2 || haproxy.Admin("wr", "a") == 1, "the agent had its say");

        TestNet.Eventually(() => haproxy.Admin("wr", "a") == 1, "cut");
    }

    [Fact]
    public void A_server_that_follows_another_is_told_apart()
    {
        using var haproxy = new RealHaproxy(self => $"""
            listen wr
              bind {self.Write}
              {_a.Config} check inter 1h
              {_b.Config} check inter 1h
            listen rd
              bind {self.Read}
              {_a.Config} track wr/a
            """);
        using var bench = new LaneBench(haproxy.Socket);

        bench.Lane.Desire(LaneBench.Cut(1, readReady: true));

        var applied = bench.Await(a => !a.Ok);
        Assert.Contains("follows another server", applied.Detail, StringComparison.Ordinal);
        Assert.Equal(1, haproxy.Admin("wr", "a"));
    }

    [Fact]
    public void A_weight_of_zero_is_told()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " weight 0", _b.Config);
        using var bench = new LaneBench(haproxy.Socket);

        var applied = bench.Do(LaneBench.Write(1));

        Assert.False(applied.Serving);
        Assert.Contains("weight is 0", applied.Detail, StringComparison.Ordinal);
    }

    private sealed class Agent : IDisposable
    {
        private readonly TcpListener _listener;
        private readonly byte[] _answer;
        private int _asked;

        public Agent(string answer)
        {
            _answer = System.Text.Encoding.ASCII.GetBytes(answer);
            _listener = new TcpListener(TestNet.Address(), 0);
            _listener.Start();
            End = (System.Net.IPEndPoint)_listener.LocalEndpoint;
            new Thread(Serve) { IsBackground = true }.Start();
        }

        public System.Net.IPEndPoint End { get; }

        public int Asked => Volatile.Read(ref _asked);

        public void Dispose() => _listener.Stop();

        private void Serve()
        {
            try
            {
                while (true)
                {
                    using var socket = _listener.AcceptSocket();
                    socket.Send(_answer);
                    Interlocked.Increment(ref _asked);
                }
            }
            catch (Exception ex) when (ex is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Stopped.
            }
        }
    }
}
