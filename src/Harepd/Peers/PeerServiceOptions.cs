using System.Net;
using Harepd.Grpc;

namespace Harepd.Peers;

/// <summary>Where and how this member listens.</summary>
internal sealed record PeerServiceOptions
{
    public required IPEndPoint Bind { get; init; }

    /// <summary>This node's address as peers of the 2021 daemon are told it (<c>bindAddress</c>).</summary>
    public required string Address { get; init; }

    /// <summary>The name of this node in repmgr.</summary>
    public required string NodeName { get; init; }

    /// <summary>Bounds one look into the cluster's tables (<c>connectionDeadline</c>).</summary>
    public TimeSpan InquiryDeadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Null where TLS is off.</summary>
    public Func<GrpcTlsMaterial>? Tls { get; init; }

    /// <summary>Whether callers must show a certificate of the same authority (<c>clientAuth: require</c>).</summary>
    public bool RequiresClientCertificate { get; init; }
}
