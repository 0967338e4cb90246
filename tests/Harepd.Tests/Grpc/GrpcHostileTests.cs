using System.Net;
using System.Net.Sockets;
using Harepd.Grpc;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>Servers that are not what they should be: each costs the caller its deadline at most.</summary>
public sealed class GrpcHostileTests
{
    private const string Address = "127.10.2.1";
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

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

    [Theory]
    [InlineData("no-such-host.invalid")]
    [InlineData("no_such_host.invalid")]
    public async Task A_name_without_an_address_is_unavailable(string name)
    {
        using var channel = new GrpcChannel(name, 10000, new GrpcChannelOptions { ConnectTimeout = Calls.Patience });

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
