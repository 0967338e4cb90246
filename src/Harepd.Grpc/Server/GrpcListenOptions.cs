namespace Harepd.Grpc;

/// <summary>How a gRPC port listens, and what it is ready to spend on strangers.</summary>
public sealed record GrpcListenOptions
{
    /// <summary>Asked at every handshake, so that a reload takes hold at once; null listens in plain text (h2c with prior knowledge).</summary>
    public Func<GrpcTlsMaterial>? Tls { get; init; }

    /// <summary>Only with <see cref="Tls"/>.</summary>
    public GrpcClientCertificates ClientCertificates { get; init; }

    /// <summary>Connections at once; more are closed at accept. Each costs some tens of kilobytes.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>Connections at once from one address, so that one host cannot take them all.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 256;

    /// <summary>From accept to the end of the HTTP/2 preface, and from the first to the last byte of a request's headers.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A connection without a call is closed (GOAWAY) after this; callers reconnect by themselves.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long calls in flight may take to end when the server stops.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
