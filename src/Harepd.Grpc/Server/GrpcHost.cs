using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Harepd.Grpc;

/// <summary>A gRPC server on one port. Disposing stops it within <see cref="GrpcListenOptions.StopTimeout"/>.</summary>
public sealed class GrpcHost : IAsyncDisposable
{
    private readonly QuietHost _host;

    private GrpcHost(QuietHost host) => _host = host;

    /// <summary>Where it listens; the port is the kernel's choice where 0 was asked for.</summary>
    public IPEndPoint EndPoint => _host.EndPoint;

    /// <summary>Listens, or throws; the methods that <paramref name="map"/> does not map are answered Unimplemented.</summary>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<GrpcHost> StartAsync(
        IPEndPoint endPoint, GrpcListenOptions options, Action<IEndpointRouteBuilder> map, CancellationToken token) => new(await QuietHost.StartAsync(
            endPoint,
            options.Tls is not null,
            options.StopTimeout,
            kestrel => kestrel.ListenGrpc(endPoint, options),
            services => services.AddRoutingCore(),
            application =>
            {
                map(application);
                application.MapGrpcUnimplemented();
            },
            token));

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
