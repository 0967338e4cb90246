using System.Net;

namespace Harepd.Grpc;

/// <summary>How a channel reaches its peer, and the bounds it keeps.</summary>
public sealed record GrpcChannelOptions
{
    /// <summary>For name, connection and handshake together. Past it the call is Unavailable, where its own deadline has not passed first.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A connection whose peer's kernel has acknowledged nothing for so long is dead and will be replaced (TCP_USER_TIMEOUT). Lower finds the end of
    /// a cut sooner; too low and plain packet loss costs connections. No pings are sent: Go and C++ servers close connections that ping.
    /// </summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Largest answer, plain and inflated, in bytes.</summary>
    public int MaxMessageBytes { get; init; } = 1024 * 1024;

    /// <summary>Asked at every handshake, so that a reload takes hold at the next connection; null calls in plain text.</summary>
    public Func<GrpcTlsMaterial>? Tls { get; init; }

    /// <summary>The name that the server's certificate must carry; null takes the host of the address.</summary>
    public string? ServerName { get; init; }

    /// <summary>The local address that connections leave from; null lets the kernel choose.</summary>
    public IPAddress? LocalAddress { get; init; }
}
