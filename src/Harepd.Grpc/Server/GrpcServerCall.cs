using System.Net;

namespace Harepd.Grpc;

/// <summary>What a handler may know of the call it serves. Holds no reference to the connection, so a late handler harms nothing.</summary>
public sealed record GrpcServerCall
{
    /// <summary>The address the caller connected from; null where the transport has none.</summary>
    public IPEndPoint? Peer { get; init; }

    /// <summary>Distinguished name of the caller's verified client certificate; null where none was given.</summary>
    public string? ClientSubject { get; init; }

    /// <summary>The time the caller had left when the call arrived, within the method's bound.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Cancelled at the deadline, or when the caller goes away.</summary>
    public required CancellationToken Cancelled { get; init; }
}
