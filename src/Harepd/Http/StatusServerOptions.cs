using System.Net;
using Harepd.Grpc;

namespace Harepd.Http;

/// <summary>Where and how the health answers listen.</summary>
internal sealed record StatusServerOptions
{
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>
    /// A status older than this answers 503 everywhere: the loop that decides is stuck. Raise: a stuck daemon is believed longer.
    /// Lower: a loaded host answers 503 without need. A few turns of the loop; well below the lease.
    /// </summary>
    public TimeSpan HeartbeatLimit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Connections beyond this are closed; HAProxy opens one a check.</summary>
    public int MostConnections { get; init; } = 512;

    /// <summary>Asked at every handshake, so that a reload takes hold at once; null answers in plain text.</summary>
    public Func<GrpcTlsMaterial>? Tls { get; init; }

    /// <summary>With <see cref="Tls"/>: nobody is answered without a certificate of the authority. False asks for one and takes none as well.</summary>
    public bool RequiresClientCertificate { get; init; }

    /// <summary>Bound of a handshake, and of a request's headers.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop waits for answers under way.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromMilliseconds(200);
}
