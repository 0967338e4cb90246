namespace Harepd.Grpc;

/// <summary>Whether a server asks its callers for certificates (mutual TLS).</summary>
public enum GrpcClientCertificates
{
    /// <summary>Not asked for.</summary>
    NotAsked = 0,

    /// <summary>Asked for; none is accepted, a wrong one is not.</summary>
    Optional = 1,

    /// <summary>Without a right one there is no connection.</summary>
    Required = 2,
}
