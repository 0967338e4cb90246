using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Harepd.Grpc;

/// <summary>Makes a Kestrel port speak gRPC, and nothing else.</summary>
public static class GrpcListener
{
    private const int WindowBytes = 128 * 1024;

    /// <summary>
    /// Listens on an address with the bounds of <paramref name="options"/>. The bounds that Kestrel keeps per server are set for the whole
    /// server, so a port with other needs wants a server of its own.
    /// </summary>
    public static void ListenGrpc(this KestrelServerOptions kestrel, IPEndPoint endPoint, GrpcListenOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        kestrel.Limits.KeepAliveTimeout = options.IdleTimeout;
        kestrel.Limits.RequestHeadersTimeout = options.HandshakeTimeout;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 64;

        // The size of a message is judged by its own header, which answers with a status instead of a broken stream.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.Http2.InitialConnectionWindowSize = WindowBytes;
        kestrel.Limits.Http2.InitialStreamWindowSize = WindowBytes;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 8 * 1024;
        kestrel.Listen(endPoint, listen => Configure(listen, options));
    }

    private static void Configure(ListenOptions listen, GrpcListenOptions options)
    {
        var guard = new ConnectionGuard(options);
        listen.Protocols = HttpProtocols.Http2;
        listen.Use(guard.Bound);
        if (options.Tls is { } material)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = options.HandshakeTimeout,
                OnConnection = _ => ValueTask.FromResult(GrpcTls.ForServer(material(), options.ClientCertificates)),
            });
        }

        listen.Use(guard.AwaitPreface);
    }
}
