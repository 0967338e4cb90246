using Harepd.Grpc;
using Harepd.Wire.Health;
using Harepd.Wire.Models;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>Both ends against grpc-core: in plain text, under TLS and under mutual TLS.</summary>
public sealed class GrpcPythonTests : IDisposable
{
    private const string Here = "127.10.4.1";
    private const string There = "127.10.4.2";

    private readonly Certificates _certificates = new();
    private readonly PythonPeer _python = new();

    public void Dispose()
    {
        _certificates.Dispose();
        _python.Dispose();
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("tls")]
    [InlineData("mtls")]
    public async Task A_foreign_client_is_served(string mode)
    {
        var listen = new GrpcListenOptions();
        if (mode != "plain")
        {
            var material = _certificates.Material("node", Here, Certificates.ServerUsage);
            listen = new GrpcListenOptions
            {
                Tls = () => material,
                ClientCertificates = mode == "mtls" ? GrpcClientCertificates.Required : GrpcClientCertificates.NotAsked,
            };
        }

        await using var host = await Calls.ServeAsync(Here, Calls.ByNameAsync, listen: listen);
        string[] files = mode switch { "plain" => ["-", "-", "-"], "tls" => [Authority(), "-", "-"], _ => [Authority(), .. Sign("caller", "x", Certificates.ClientUsage)] };

        var lines = await Task.Run(() => _python.Run([_python.Write("client.py", PythonPrograms.Client), $"{host.EndPoint}", .. files]));

        var packed = string.Concat(Enumerable.Repeat("packed", 100));
        Assert.Equal(
            [
                "echo OK ['127.0.0.9', 7, 'größe', '', ['a', 'b'], ['127.0.0.1']]",
                "negative OK ['127.0.0.9', -1, 'x', '', ['a', 'b'], ['127.0.0.1']]",
                "nodeadline OK ['127.0.0.9', 7, 'x', '', ['a', 'b'], ['127.0.0.1']]",
                "error FAILED_PRECONDITION 'größer als 100 % — 日本\\n'",
                "fault UNKNOWN 'unexpected failure'",
                "slow DEADLINE_EXCEEDED",
                $"gzip OK ['127.0.0.9', 7, '{packed}', '', ['a', 'b'], ['127.0.0.1']]",
                "deflate UNIMPLEMENTED",
                "huge RESOURCE_EXHAUSTED",
                $"peer OK ['127.0.0.1', 0, '', '{(mode == "mtls" ? "CN=caller" : "none")}', [], []]",
                "method UNIMPLEMENTED 'no such method here'",
                "service UNIMPLEMENTED 'no such method here'",
                "health OK 1",
                "nohealth NOT_FOUND 'no such service'",
                "watch UNIMPLEMENTED 'no such method here'",
                "after OK ['127.0.0.9', 7, 'after', '', ['a', 'b'], ['127.0.0.1']]",
            ],
            lines.TrimEnd().Split('\n').Select(line => line.Split(' ') is ["slow" or "deflate" or "huge", var code, ..] ? $"{line.Split(' ')[0]} {code}" : line));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("tls")]
    [InlineData("mtls")]
    public async Task A_foreign_server_is_called(string mode)
    {
        var files = mode == "plain" ? ["-", "-", "-"] : new[] { Authority() }.Concat(Sign("node", There, Certificates.ServerUsage));
        var (_, port) = await _python.ServeAsync([_python.Write("server.py", PythonPrograms.Server), There, .. files, mode == "mtls" ? "required" : "none"]);
        var material = mode == "mtls" ? _certificates.Material("caller", "x", Certificates.ClientUsage) : _certificates.TrustOnly();
        using var channel = new GrpcChannel(
            There, port, new GrpcChannelOptions { Tls = mode == "plain" ? null : () => material, ConnectTimeout = Calls.Patience, MaxMessageBytes = 100_000 });

        var echo = await channel.AskAsync("größe", -1);
        Assert.Equal(new IKnow { Ip = "127.0.0.9", NodeId = -1, NodeName = "größe", Master = { "127.0.0.1" }, Slaves = { "a", "b" } }, echo);

        var error = await channel.FailAsync("error");
        Assert.Equal((GrpcStatusCode.FailedPrecondition, Calls.Odd), (error.Code, error.Detail));
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await channel.FailAsync("slow", deadline: TimeSpan.FromMilliseconds(200))).Code);
        Assert.InRange((await channel.AskAsync("remaining")).NodeId, 1, 20_000);

        Assert.Equal(90_000, (await channel.AskAsync("gzip", 90_000)).Witness.Length);
        Assert.Equal(GrpcStatusCode.ResourceExhausted, (await channel.FailAsync("gzip", 10_000_000)).Code);
        Assert.Equal(GrpcStatusCode.ResourceExhausted, (await channel.FailAsync("big", 1_000_000)).Code);
        var unknown = await Assert.ThrowsAsync<GrpcException>(
            () => channel.CallAsync(Calls.Ask with { Name = "GetNothing" }, new WhatYouKnow(), Calls.Patience, default));
        Assert.Equal(GrpcStatusCode.Unimplemented, unknown.Code);
        var health = await channel.CallAsync(GrpcHealth.Check, new HealthCheckRequest(), Calls.Patience, default);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
        Assert.Equal(mode == "mtls" ? "caller" : "none", (await channel.AskAsync("peer")).Witness);
    }

    [Fact]
    public async Task A_stopped_process_costs_the_deadline_and_is_reached_again_when_it_goes_on()
    {
        var (process, port) = await _python.ServeAsync(_python.Write("server.py", PythonPrograms.Server), There, "-", "-", "-", "none");
        using var channel = new GrpcChannel(There, port, new GrpcChannelOptions { ConnectTimeout = Calls.Patience });
        await channel.AskAsync("before");

        PythonPeer.Signal(process, "STOP");
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await channel.FailAsync("x", deadline: TimeSpan.FromMilliseconds(100))).Code);
        }

        PythonPeer.Signal(process, "CONT");
        Assert.Equal("again", (await channel.AskAsync("again")).NodeName);
    }

    [Fact]
    public async Task A_killed_process_is_unavailable()
    {
        var (process, port) = await _python.ServeAsync(_python.Write("server.py", PythonPrograms.Server), There, "-", "-", "-", "none");
        using var channel = new GrpcChannel(There, port, new GrpcChannelOptions { ConnectTimeout = Calls.Patience });
        await channel.AskAsync("before");
        var pending = channel.FailAsync("slow");

        process.Kill();

        Assert.Equal(GrpcStatusCode.Unavailable, (await pending).Code);
        Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("x")).Code);
    }

    private string Authority() => _python.Write("ca.pem", _certificates.Authority);

    private string[] Sign(string name, string san, string usage)
    {
        var (certificate, key) = _certificates.Sign(name, san, usages: usage);
        return [_python.Write(name + ".pem", certificate), _python.Write(name + ".key", key)];
    }
}
