using System.Net;
using Harepd.Clock;
using Harepd.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Harepd.Http;

/// <summary>
/// Answers health checks and status requests over HTTP/1 or HTTPS on a port of its own, from memory alone: no request waits for a server,
/// a disk or the deciding loop. Bounded in connections, request size and idle time. Reads only: nothing can be changed here.
/// </summary>
internal sealed class StatusServer : IAsyncDisposable
{
    private readonly QuietHost _host;

    private StatusServer(QuietHost host) => _host = host;

    /// <summary>Where it listens; the port is the kernel's choice where 0 was asked for.</summary>
    public IPEndPoint EndPoint => _host.EndPoint;

    /// <summary>Listens, or throws.</summary>
    /// <param name="options">Where, and the bounds.</param>
    /// <param name="status">The newest status, null before there is one; called for each request on a pool thread, must not block.</param>
    /// <param name="token">Gives up starting.</param>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<StatusServer> StartAsync(StatusServerOptions options, Func<NodeStatus?> status, CancellationToken token) =>
        new(await QuietHost.StartAsync(
            options.EndPoint,
            options.Tls is not null,
            options.StopTimeout,
            kestrel => Bound(kestrel, options),
            _ => { },
            application => application.Run(context => AnswerAsync(context, status, options.HeartbeatLimit)),
            token));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static void Bound(KestrelServerOptions kestrel, StatusServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = options.MostConnections;
        kestrel.Limits.MaxRequestBodySize = 16 * 1024;
        kestrel.Limits.MaxRequestLineSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        kestrel.Limits.RequestHeadersTimeout = options.HandshakeTimeout;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
        kestrel.Listen(options.EndPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (options.Tls is { } material)
            {
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    HandshakeTimeout = options.HandshakeTimeout,
                    OnConnection = _ => ValueTask.FromResult(material().ForHttp(options.RequiresClientCertificate ? GrpcClientCertificates.Required : GrpcClientCertificates.Optional)),
                });
            }
        });
    }

    private static Task AnswerAsync(HttpContext context, Func<NodeStatus?> status, TimeSpan heartbeatLimit)
    {
        var request = context.Request;

        // "OPTIONS *" has no path; HAProxy's bare httpchk asks "OPTIONS /", which has one.
        var path = request.Path is { HasValue: true } given ? given.Value! : "/";
        var query = request.QueryString.HasValue
            ? HealthQuery.From(request.Query.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.ToString())))
            : HealthQuery.None;
        var answer = StatusRoutes.Answer(request.Method, path, query, status(), BootClock.Now, heartbeatLimit);
        var response = context.Response;
        response.StatusCode = answer.Code;
        response.Headers.CacheControl = "no-store";
        if (answer.Code == 405)
        {
            response.Headers.Allow = "GET, HEAD, OPTIONS";
        }

        if (answer.Body.IsEmpty)
        {
            return Task.CompletedTask;
        }

        response.ContentType = answer.ContentType;
        response.ContentLength = answer.Body.Length;
        return response.Body.WriteAsync(answer.Body).AsTask();
    }
}
