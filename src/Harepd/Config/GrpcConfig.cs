using System.Collections.Immutable;
using System.Net;

namespace Harepd.Config;

/// <summary>How this node listens to its peers and reaches them.</summary>
internal sealed record GrpcConfig
{
    /// <summary>The address the server binds; may be the wildcard when <see cref="Advertise"/> is given.</summary>
    public required IPAddress BindAddress { get; init; }

    /// <summary>1 to 65535.</summary>
    public required int BindPort { get; init; }

    /// <summary>Where the others reach this node, and its member id; default <c>bindAddress:bindPort</c>.</summary>
    public required PeerAddress Advertise { get; init; }

    /// <summary>The other data nodes, in the order they are asked (and on a witness: all data nodes).</summary>
    public required ImmutableArray<PeerAddress> Neighbours { get; init; }

    /// <summary>Null when there is none, and on the witness itself.</summary>
    public required PeerAddress? Witness { get; init; }

    /// <summary>Bounds every inquiry, connecting included.</summary>
    public required TimeSpan ConnectionDeadline { get; init; }

    /// <summary>The name expected in every peer's certificate; null compares with the address that was dialled.</summary>
    public required string? ServerHostOverride { get; init; }

    public required TlsConfig Tls { get; init; }

    /// <summary>Neighbours, then the witness if there is one.</summary>
    public ImmutableArray<PeerAddress> Peers => Witness is { } witness ? Neighbours.Add(witness) : Neighbours;
}

/// <summary>Transport security towards peers; the paths are absolute, and null while TLS is off and they were not given.</summary>
internal sealed record TlsConfig(bool Enabled, string? Ca, string? Cert, string? Key, ClientAuth ClientAuth);

/// <summary>What is asked of a peer that dials in.</summary>
internal enum ClientAuth
{
    /// <summary>No certificate is asked for (as with the Go daemon).</summary>
    None = 0,

    /// <summary>A certificate that chains to <c>ca</c> is required.</summary>
    Require = 1,
}

/// <summary>The epoch of the voting set and the set before it (R10).</summary>
/// <param name="Epoch">At least 1.</param>
/// <param name="Previous">Empty in epoch 1, never empty after it.</param>
internal sealed record MembershipConfig(int Epoch, ImmutableArray<PeerAddress> Previous);
