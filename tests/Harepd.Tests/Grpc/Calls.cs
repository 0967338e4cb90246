using System.Net;
using System.Net.Sockets;
using Harepd.Grpc;
using Harepd.Wire.Models;
using Microsoft.AspNetCore.Routing;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>What the gRPC tests share: one method, a server that does by name what it is asked, and short ways to call.</summary>
internal static class Calls
{
    public const string Odd = "größer als 100 % — 日本\n";

    /// <summary>Bounds a wait that ends long before; never a measurement.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static readonly GrpcMethod<WhatYouKnow, IKnow> Ask =
        new("models.ClusterInfo", "GetClusterInfo", WhatYouKnow.Parser, IKnow.Parser);

    public static Task<GrpcHost> ServeAsync(
        string address, Func<WhatYouKnow, GrpcServerCall, ValueTask<IKnow>> handler,
        GrpcServerOptions? bounds = null, GrpcListenOptions? listen = null) =>
        GrpcHost.StartAsync(
            new IPEndPoint(IPAddress.Parse(address), 0), listen ?? new GrpcListenOptions(),
            endpoints =>
            {
                endpoints.MapGrpcUnary(Ask, handler, bounds ?? new GrpcServerOptions());
                endpoints.MapGrpcHealth(service => service switch { "" or "models.ClusterInfo" => true, "down" => false, _ => null }, new GrpcServerOptions());
            },
            CancellationToken.None);

    /// <summary>Answers as the request's name tells: echo, error, fault, slow, big, peer.</summary>
    public static async ValueTask<IKnow> ByNameAsync(WhatYouKnow request, GrpcServerCall call)
    {
        switch (request.NodeName)
        {
            case "error":
                throw new GrpcException(GrpcStatusCode.FailedPrecondition, Odd);
            case "fault":
                throw new InvalidOperationException("a secret path /var/run/x");
            case "slow":
                await Task.Delay(Patience, call.Cancelled);
                return new IKnow();
            case "big":
                return new IKnow { Witness = new string('x', request.NodeId) };
            case "peer":
                return new IKnow { Ip = call.Peer!.Address.ToString(), Witness = call.ClientSubject ?? "none" };
            default:
                return new IKnow { Ip = request.Ip, NodeId = request.NodeId, NodeName = request.NodeName, Master = { "127.0.0.1" }, Slaves = { "a", "b" } };
        }
    }

    public static GrpcChannel Open(IPEndPoint to, GrpcChannelOptions? options = null) =>
        new(to.Address.ToString(), to.Port, options ?? new GrpcChannelOptions { ConnectTimeout = Patience });

    public static Task<IKnow> AskAsync(this GrpcChannel channel, string name, int id = 7, TimeSpan? deadline = null) =>
        channel.CallAsync(Ask, new WhatYouKnow { Ip = "127.0.0.9", NodeId = id, NodeName = name }, deadline ?? Patience, CancellationToken.None);

    public static async Task<GrpcException> FailAsync(this GrpcChannel channel, string name, int id = 7, TimeSpan? deadline = null) =>
        await Assert.ThrowsAsync<GrpcException>(() => channel.AskAsync(name, id, deadline));

    /// <summary>A listening socket of a test's own, for servers that misbehave below HTTP.</summary>
    public static Socket Listen(string address, int backlog = 16)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        socket.Listen(backlog);
        return socket;
    }
}
