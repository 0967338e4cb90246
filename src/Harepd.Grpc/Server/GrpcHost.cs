using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Harepd.Grpc;

/// <summary>
/// A gRPC server on one port: the smallest ASP.NET Core host that can, without configuration files, logging or signal handlers.
/// Disposing stops it within <see cref="GrpcListenOptions.StopTimeout"/>.
/// </summary>
public sealed class GrpcHost : IAsyncDisposable
{
    private readonly WebApplication _application;

    private GrpcHost(WebApplication application, IPEndPoint endPoint)
    {
        _application = application;
        EndPoint = endPoint;
    }

    /// <summary>Where it listens; the port is the kernel's choice where 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Listens, or throws; the methods that <paramref name="map"/> does not map are answered Unimplemented.</summary>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<GrpcHost> StartAsync(
        IPEndPoint endPoint, GrpcListenOptions options, Action<IEndpointRouteBuilder> map, CancellationToken token)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenGrpc(endPoint, options));
        if (options.Tls is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout);
        var application = builder.Build();
        try
        {
            map(application);
            application.MapGrpcUnimplemented();
            await application.StartAsync(token);
            return new GrpcHost(application, FindEndPoint(application, endPoint));
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private static IPEndPoint FindEndPoint(WebApplication application, IPEndPoint asked)
    {
        var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses;
        var bound = addresses is { Count: > 0 } ? new Uri(addresses.First()).Port : asked.Port;
        return new IPEndPoint(asked.Address, bound);
    }

    /// <summary>The process owns its signals: a host that hooked them would swallow SIGTERM from whoever needs it.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
