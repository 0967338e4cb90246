using System.Net;
using System.Net.Sockets;
using Harepd.Grpc;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>Peers that are not what they should be: each costs the caller its deadline at most, and the server next to nothing.</summary>
public sealed class GrpcHostileTests
{
    private const string Address = "127.10.2.1";
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [Fact]
    public async Task Random_bytes_harm_nobody()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync, listen: new GrpcListenOptions { HandshakeTimeout = Short });
        using var channel = Calls.Open(host.EndPoint);
        var random = new Random(20_25);
        for (var i = 0; i < 200; i++)
        {
            using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await stranger.ConnectAsync(host.EndPoint);
            var bytes = new byte[random.Next(1, 4000)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                // Past the preface, so that the garbage reaches the frame parser.
                await stranger.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
            }

            try
            {
                await stranger.SendAsync(bytes);
            }
            catch (SocketException)
            {
                // The server may have closed already; that is its right.
            }
        }

        Assert.Equal("alive", (await channel.AskAsync("alive")).NodeName);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PRI * HTTP/2")]
    public async Task A_connection_that_does_not_finish_the_preface_is_closed(string said)
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync, listen: new GrpcListenOptions { HandshakeTimeout = Short });
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await stranger.ConnectAsync(host.EndPoint);
        await stranger.SendAsync(System.Text.Encoding.ASCII.GetBytes(said));

        Assert.True(await IsClosedAsync(stranger));
    }

    [Fact]
    public async Task One_address_cannot_take_all_connections()
    {
        await using var host = await Calls.ServeAsync(
            Address, Calls.ByNameAsync, listen: new GrpcListenOptions { MaxConnectionsPerAddress = 3, HandshakeTimeout = Calls.Patience });
        var strangers = new List<Socket>();
        for (var i = 0; i < 5; i++)
        {
            strangers.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            strangers[i].Bind(new IPEndPoint(IPAddress.Parse("127.10.2.66"), 0));
            await strangers[i].ConnectAsync(host.EndPoint);
        }

        Assert.True(await IsClosedAsync(strangers[3]));
        Assert.True(await IsClosedAsync(strangers[4]));
        using var channel = Calls.Open(host.EndPoint);
        await channel.AskAsync("another address");

        // A place that is given back can be taken again.
        strangers.ForEach(stranger => stranger.Dispose());
        using var same = Calls.Open(host.EndPoint, new GrpcChannelOptions { LocalAddress = IPAddress.Parse("127.10.2.66") });
        await WaitFor.TrueAsync(async () => await AnswersAsync(same));
    }

    [Fact]
    public async Task An_http1_request_is_answered_and_closed()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var http = new HttpClient { Timeout = Calls.Patience };

        using var response = await http.GetAsync($"http://{host.EndPoint}/models.ClusterInfo/GetClusterInfo");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_request_that_does_not_go_on_is_answered_in_time()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync, new GrpcServerOptions { MaxReadTime = Short });
        using var http = new RawHttp2();

        using var response = await http.PostAsync(host.EndPoint, [0, 0, 0, 0, 9, 1], isEnded: false);

        Assert.Equal("4", await RawHttp2.StatusAsync(response));
    }

    [Fact]
    public async Task A_silent_server_costs_the_deadline_and_is_dialled_anew_now_and_then()
    {
        using var silent = Calls.Listen(Address);
        var accepted = 0;
        var accepting = AcceptAsync(silent, _ => Interlocked.Increment(ref accepted));
        using var channel = Calls.Open((IPEndPoint)silent.LocalEndPoint!);

        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await channel.FailAsync("x", deadline: TimeSpan.FromMilliseconds(50))).Code);
        }

        // Replaced after 4 and again after 8 more: three at most, and more than one.
        await WaitFor.TrueAsync(() => Volatile.Read(ref accepted) >= 2);
        Assert.InRange(accepted, 2, 3);
        silent.Dispose();
        await accepting;
    }

    [Fact]
    public async Task A_server_of_http1_is_unavailable()
    {
        using var server = Calls.Listen(Address);
        var accepting = AcceptAsync(server, async connection =>
        {
            await connection.ReceiveAsync(new byte[1000]);
            await connection.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
        });
        using var channel = Calls.Open((IPEndPoint)server.LocalEndPoint!);

        Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("x")).Code);
        server.Dispose();
        await accepting;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500)]
    public async Task A_server_that_answers_garbage_or_hangs_up_is_unavailable(int length)
    {
        using var server = Calls.Listen(Address);
        var accepting = AcceptAsync(server, async connection =>
        {
            var bytes = new byte[length];
            new Random(length).NextBytes(bytes);
            await connection.SendAsync(bytes);
            connection.Close();
        });
        using var channel = Calls.Open((IPEndPoint)server.LocalEndPoint!);

        Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("x")).Code);
        server.Dispose();
        await accepting;
    }

    [Fact]
    public async Task A_refused_connection_is_unavailable()
    {
        using var unheard = Calls.Listen(Address);
        using var channel = Calls.Open((IPEndPoint)unheard.LocalEndPoint!);
        unheard.Dispose();

        Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("x")).Code);
    }

    [Fact]
    public async Task A_black_hole_costs_the_connect_timeout_or_the_deadline_whichever_is_first()
    {
        using var hole = Calls.Listen(Address, backlog: 0);
        var fillers = await FillBacklogAsync(hole);
        var to = (IPEndPoint)hole.LocalEndPoint!;
        using var patient = Calls.Open(to, new GrpcChannelOptions { ConnectTimeout = Short });
        using var hasty = Calls.Open(to, new GrpcChannelOptions { ConnectTimeout = Calls.Patience });

        Assert.Equal(GrpcStatusCode.Unavailable, (await patient.FailAsync("x")).Code);
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await hasty.FailAsync("x", deadline: Short)).Code);
        fillers.ForEach(filler => filler.Dispose());
    }

    [Fact]
    public async Task A_name_without_an_address_is_unavailable()
    {
        using var channel = new GrpcChannel("no-such-host.invalid", 10000, new GrpcChannelOptions { ConnectTimeout = Calls.Patience });

        Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("x")).Code);
    }

    [Fact]
    public async Task A_name_is_resolved()
    {
        await using var host = await Calls.ServeAsync("127.0.0.1", Calls.ByNameAsync);
        using var channel = new GrpcChannel("localhost", host.EndPoint.Port, new GrpcChannelOptions { ConnectTimeout = Calls.Patience });

        Assert.Equal("named", (await channel.AskAsync("named")).NodeName);
    }

    [Fact]
    public async Task A_disposed_channel_says_so()
    {
        var channel = new GrpcChannel(Address, 1, new GrpcChannelOptions());
        channel.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => channel.AskAsync("x"));
    }

    private static async Task<bool> AnswersAsync(GrpcChannel channel)
    {
        try
        {
            await channel.AskAsync("x");
            return true;
        }
        catch (GrpcException)
        {
            return false;
        }
    }

    private static async Task<bool> IsClosedAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(Calls.Patience);
        try
        {
            return await socket.ReceiveAsync(new byte[1], patience.Token) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static async Task AcceptAsync(Socket listener, Action<Socket> act)
    {
        var accepted = new List<Socket>();
        try
        {
            while (true)
            {
                var connection = await listener.AcceptAsync();
                accepted.Add(connection);
                act(connection);
            }
        }
        catch (SocketException)
        {
            // The test has closed the listener.
        }
        finally
        {
            accepted.ForEach(connection => connection.Dispose());
        }
    }

    private static Task AcceptAsync(Socket listener, Func<Socket, Task> act) => AcceptAsync(listener, connection => { _ = act(connection); });

    /// <summary>Connects until the kernel no longer answers: from then on the address is a black hole.</summary>
    private static async Task<List<Socket>> FillBacklogAsync(Socket listener)
    {
        var fillers = new List<Socket>();
        while (true)
        {
            var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using var patience = new CancellationTokenSource(Short);
            fillers.Add(filler);
            try
            {
                await filler.ConnectAsync(listener.LocalEndPoint!, patience.Token);
            }
            catch (OperationCanceledException)
            {
                return fillers;
            }
        }
    }
}
