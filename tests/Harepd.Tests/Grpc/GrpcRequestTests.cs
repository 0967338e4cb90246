using System.Net;
using Google.Protobuf;
using Harepd.Grpc;
using Harepd.Wire.Models;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>Raw HTTP/2 requests, such as our own client would never send.</summary>
public sealed class GrpcRequestTests
{
    private const string Address = "127.10.1.2";

    [Fact]
    public async Task Messages_up_to_the_limit_pass_and_longer_ones_do_not_either_way()
    {
        const int limit = 1024 * 1024;
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint);
        var nearly = new string('n', limit - 100);

        Assert.Equal(nearly, (await channel.AskAsync(nearly)).NodeName);
        Assert.Equal(GrpcStatusCode.ResourceExhausted, (await channel.FailAsync(new string('n', limit))).Code);
        Assert.Equal(limit - 100, (await channel.AskAsync("big", limit - 100)).Witness.Length);
        Assert.Equal(GrpcStatusCode.ResourceExhausted, (await channel.FailAsync("big", limit)).Code);
        await channel.AskAsync("echo");
    }

    [Fact]
    public async Task A_message_of_a_hundred_megabytes_is_refused_by_its_header()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var http = new RawHttp2();

        // Only the header is sent, and the stream stays open: an answer proves that nothing of the rest was waited for.
        using var response = await http.PostAsync(host.EndPoint, [0, 6, 0, 0, 0], isEnded: false);

        Assert.Equal("8", await RawHttp2.StatusAsync(response));
    }

    [Fact]
    public async Task A_gzip_request_is_read_and_a_bomb_is_not()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var http = new RawHttp2();
        var honest = RawHttp2.Gzip(new WhatYouKnow { NodeName = "echo", NodeId = 3 }.ToByteArray());
        var bomb = RawHttp2.Gzip(new WhatYouKnow { NodeName = new string('b', 20 * 1024 * 1024) }.ToByteArray());
        Assert.True(bomb.Length < 100_000);

        using var answered = await http.PostAsync(host.EndPoint, honest, ("grpc-encoding", "gzip"));
        using var refused = await http.PostAsync(host.EndPoint, bomb, ("grpc-encoding", "gzip"));
        using var unknown = await http.PostAsync(host.EndPoint, honest, ("grpc-encoding", "snappy"));
        using var unnamed = await http.PostAsync(host.EndPoint, honest);
        using var identity = await http.PostAsync(host.EndPoint, honest, ("grpc-encoding", "identity"));
        using var garbage = await http.PostAsync(host.EndPoint, [1, 0, 0, 0, 3, 1, 2, 3], ("grpc-encoding", "gzip"));

        Assert.Equal("0", await RawHttp2.StatusAsync(answered));
        Assert.Equal("8", await RawHttp2.StatusAsync(refused));
        Assert.Equal("12", await RawHttp2.StatusAsync(unknown));
        Assert.Equal("identity,gzip", unknown.Headers.GetValues("grpc-accept-encoding").Single());
        Assert.Equal("13", await RawHttp2.StatusAsync(unnamed));
        Assert.Equal("13", await RawHttp2.StatusAsync(identity));
        Assert.Equal("13", await RawHttp2.StatusAsync(garbage));
    }

    public static TheoryData<byte[], string> BrokenBodies => new()
    {
        { [], "13" },
        { [0, 0, 0], "13" },
        { [0, 0, 0, 0, 9, 1, 2], "13" },
        { [2, 0, 0, 0, 0], "13" },
        { [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "13" },
        { [0, 255, 255, 255, 255], "8" },
        { [0, 0, 0, 0, 3, 10, 200, 1], "3" },
        { [0, 0, 0, 0, 2, 26, 255], "3" },
        { [0, 0, 0, 0, 0], "0" },
    };

    [Theory]
    [MemberData(nameof(BrokenBodies))]
    public async Task A_broken_body_gets_the_status_it_deserves(byte[] body, string status)
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var http = new RawHttp2();

        using var response = await http.PostAsync(host.EndPoint, body);

        Assert.Equal(status, await RawHttp2.StatusAsync(response));
    }

    [Theory]
    [InlineData("application/grpc+proto", "POST", HttpStatusCode.OK)]
    [InlineData("application/json", "POST", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc", "PUT", HttpStatusCode.MethodNotAllowed)]
    public async Task What_is_not_grpc_gets_a_plain_http_error(string type, string verb, HttpStatusCode status)
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var http = new RawHttp2();

        using var response = await http.SendAsync(host.EndPoint, verb, type, RawHttp2.Frame(new WhatYouKnow()));

        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task A_malformed_deadline_is_refused_and_a_long_one_bounded()
    {
        TimeSpan seen = default;
        await using var host = await Calls.ServeAsync(
            Address,
            (_, call) =>
            {
                seen = call.Timeout;
                return ValueTask.FromResult(new IKnow());
            },
            new GrpcServerOptions { MaxDeadline = TimeSpan.FromSeconds(7) });
        using var http = new RawHttp2();

        using var bad = await http.PostAsync(host.EndPoint, RawHttp2.Frame(new WhatYouKnow()), ("grpc-timeout", "soon"));
        using var longest = await http.PostAsync(host.EndPoint, RawHttp2.Frame(new WhatYouKnow()), ("grpc-timeout", "99999999H"));

        Assert.Equal("3", await RawHttp2.StatusAsync(bad));
        Assert.Equal("0", await RawHttp2.StatusAsync(longest));
        Assert.Equal(TimeSpan.FromSeconds(7), seen);
    }
}
