using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Harepd.Grpc;

/// <summary>Options of both ends of a handshake: TLS 1.2 or newer, HTTP/2 offered, custom roots, no resumption of sessions.</summary>
internal static class GrpcTls
{
    private static readonly SslApplicationProtocol[] Http2 = [SslApplicationProtocol.Http2];

    // A resumed session would keep the trust of the certificates it began with, past a reload.
    private const bool MayResume = false;

    /// <summary>The serving end. A client that offers no ALPN is served too: the 2021 daemon's peers need not offer it.</summary>
    public static SslServerAuthenticationOptions ForServer(GrpcTlsMaterial material, GrpcClientCertificates demand) => ForServer(material, demand, Http2);

    /// <summary>The same for a port that speaks something else.</summary>
    internal static SslServerAuthenticationOptions ForServer(
        GrpcTlsMaterial material, GrpcClientCertificates demand, IEnumerable<SslApplicationProtocol> protocols) => new()
    {
        ServerCertificateContext = material.Identity
            ?? throw new CryptographicException("a server needs a certificate and its key"),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [.. protocols],
        AllowTlsResume = MayResume,
        AllowRenegotiation = false,
        ClientCertificateRequired = demand != GrpcClientCertificates.NotAsked,
        CertificateChainPolicy = material.RequireUsage(ClientUsage()),
        RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            demand == GrpcClientCertificates.NotAsked
            || (certificate is null ? demand == GrpcClientCertificates.Optional : errors == SslPolicyErrors.None),
    };

    /// <summary>The calling end: chain, usage, dates and name of the server are all checked.</summary>
    public static SslClientAuthenticationOptions ForClient(GrpcTlsMaterial material, string serverName) => new()
    {
        TargetHost = serverName,
        ClientCertificateContext = material.Identity,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [.. Http2],
        AllowTlsResume = MayResume,
        AllowRenegotiation = false,
        CertificateChainPolicy = material.RequireUsage(ServerUsage()),
    };

    private static Oid ServerUsage() => new("1.3.6.1.5.5.7.3.1");

    private static Oid ClientUsage() => new("1.3.6.1.5.5.7.3.2");
}
