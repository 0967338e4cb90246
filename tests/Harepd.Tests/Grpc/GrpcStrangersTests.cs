using System.Net;
using System.Net.Sockets;
using Harepd.Grpc;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>Callers that are not what they should be: they cost the server next to nothing.</summary>
public sealed class GrpcStrangersTests
{
    private const string Address = "127.10.2.2";
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
}
