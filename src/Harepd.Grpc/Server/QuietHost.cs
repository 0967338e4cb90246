using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Harepd.Grpc;

/// <summary>
/// The smallest ASP.NET Core host that can listen on a port: without configuration files, logging or signal handlers. What it speaks is for its user
/// to say. Disposing stops it within the time given at its start.
/// </summary>
public sealed class QuietHost : IAsyncDisposable
{
    private readonly WebApplication _application;

    private QuietHost(WebApplication application, IPEndPoint endPoint)
    {
        _application = application;
        EndPoint = endPoint;
    }

    /// <summary>Where it listens; the port is the kernel's choice where 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Listens, or throws.</summary>
    /// <param name="asked">The address that <paramref name="listen"/> listens on.</param>
    /// <param name="isTls">The port needs what HTTPS needs.</param>
    /// <param name="stopTimeout">How long a stop waits for calls in flight.</param>
    /// <param name="listen">Binds the port and sets its bounds.</param>
    /// <param name="services">Adds what the answers need.</param>
    /// <param name="answer">Maps the requests.</param>
    /// <param name="token">Gives up starting.</param>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<QuietHost> StartAsync(
        IPEndPoint asked, bool isTls, TimeSpan stopTimeout, Action<KestrelServerOptions> listen, Action<IServiceCollection> services, Action<WebApplication> answer, CancellationToken token)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(listen);
        if (isTls)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        services(builder.Services);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = stopTimeout);
        var application = builder.Build();
        try
        {
            answer(application);
            await application.StartAsync(token);
            return new QuietHost(application, FindEndPoint(application, asked));
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
