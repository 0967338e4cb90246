using Harepd.Haproxy;
using Xunit;

namespace Harepd.Tests.Haproxy;

public sealed class RuntimeClientTests
{
    private static RuntimeAnswer Ask(string path, params string[] commands) =>
        new RuntimeClient(new RuntimeAddress.Unix(path)).Ask(commands, LaneBench.In(2));

    [Fact]
    public void Success_is_an_empty_block_and_a_bad_command_does_not_stop_the_rest()
    {
        using var a = new NamedServer("a");
        using var haproxy = RealHaproxy.WithServers(a.Config);

        var answer = Ask(haproxy.Socket, "set server wr/nobody state maint", "set server wr/a state maint", "nonsense", "show servers state wr");

        var blocks = Assert.IsType<RuntimeAnswer.Blocks>(answer).Texts;
        Assert.Equal("No such server.\n", blocks[0]);
        Assert.Equal("", blocks[1]);
        Assert.StartsWith("Unknown command", blocks[2], StringComparison.Ordinal);
        Assert.True(Assert.Single(ServersState.Parse(blocks[3], out _)!.Value).IsCut);
    }

    [Fact]
    public void Tcp_speaks_the_same()
    {
        using var a = new NamedServer("a");
        using var haproxy = RealHaproxy.WithServers(a.Config);

        var answer = new RuntimeClient(new RuntimeAddress.Tcp(haproxy.Tcp.Address.ToString(), haproxy.Tcp.Port)).Ask(["show servers state wr"], LaneBench.In(2));

        Assert.Single(ServersState.Parse(Assert.Single(Assert.IsType<RuntimeAnswer.Blocks>(answer).Texts), out _)!.Value);
    }

    [Fact]
    public void A_missing_socket_is_a_failure_with_a_reason()
    {
        var failed = Assert.IsType<RuntimeAnswer.Failed>(Ask("/tmp/harepd-no-such.sock", "show info"));

        Assert.Equal(RuntimeFault.Unreachable, failed.Fault);
        Assert.Contains("/tmp/harepd-no-such.sock", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_closed_port_is_a_failure_with_a_reason()
    {
        var address = TestNet.Address();
        var answer = new RuntimeClient(new RuntimeAddress.Tcp(address.ToString(), TestNet.FreePort(address))).Ask(["show info"], LaneBench.In(2));

        var failed = Assert.IsType<RuntimeAnswer.Failed>(answer);
        Assert.Equal(RuntimeFault.Unreachable, failed.Fault);
        Assert.Contains("ConnectionRefused", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_silent_endpoint_ends_at_the_deadline()
    {
        using var fake = new FakeEndpoint(_ => null);

        var answer = new RuntimeClient(new RuntimeAddress.Unix(fake.Path)).Ask(["show info"], LaneBench.In(0.2));

        Assert.Equal(RuntimeFault.Silent, Assert.IsType<RuntimeAnswer.Failed>(answer).Fault);
    }

    [Fact]
    public void An_endpoint_that_never_accepts_ends_at_the_deadline()
    {
        using var full = new FullBacklog();

        var answer = new RuntimeClient(new RuntimeAddress.Unix(full.Path)).Ask(["show info"], LaneBench.In(0.2));

        Assert.IsType<RuntimeAnswer.Failed>(answer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n2 wr 1 a 127.0.0.1 2 0\n")]
    public void A_reply_that_ends_early_is_a_failure(string reply)
    {
        using var fake = new FakeEndpoint(_ => FakeEndpoint.Text(reply));

        Assert.Equal(RuntimeFault.CutShort, Assert.IsType<RuntimeAnswer.Failed>(Ask(fake.Path, "show servers state wr")).Fault);
    }

    [Fact]
    public void An_endless_reply_is_refused_at_the_bound()
    {
        using var fake = new FakeEndpoint(_ => new byte[3 * 1024 * 1024]);

        Assert.Equal(RuntimeFault.TooLong, Assert.IsType<RuntimeAnswer.Failed>(Ask(fake.Path, "show info")).Fault);
    }

    private sealed class FullBacklog : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("harepd-full-").FullName;
        private readonly System.Net.Sockets.Socket _listener = New();
        private readonly List<System.Net.Sockets.Socket> _waiting = [];

        public FullBacklog()
        {
            _listener.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Path));
            _listener.Listen(0);
            try
            {
                while (_waiting.Count < 100)
                {
                    var socket = New();
                    _waiting.Add(socket);
                    socket.Blocking = false;
                    socket.Connect(new System.Net.Sockets.UnixDomainSocketEndPoint(Path));
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
                // The backlog is full.
            }
        }

        public string Path => System.IO.Path.Combine(_folder, "full.sock");

        public void Dispose()
        {
            _waiting.ForEach(s => s.Dispose());
            _listener.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private static System.Net.Sockets.Socket New() => new(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
    }
}
