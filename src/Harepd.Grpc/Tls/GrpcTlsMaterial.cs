using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Harepd.Grpc;

/// <summary>
/// The certificates of one side: its own identity, and the authorities it trusts. Immutable; a reload makes a new one, and handshakes
/// that begin later use it, while connections that stand keep what they were made with.
/// </summary>
public sealed class GrpcTlsMaterial
{
    private GrpcTlsMaterial(SslStreamCertificateContext? identity, X509Certificate2Collection authorities)
    {
        Identity = identity;
        Authorities = authorities;
    }

    /// <summary>The certificate shown to the other side, with its intermediates; null for a client that shows none.</summary>
    internal SslStreamCertificateContext? Identity { get; }

    /// <summary>The only roots trusted; the system's store is not asked.</summary>
    internal X509Certificate2Collection Authorities { get; }

    /// <summary>The end of the own certificate's validity, UTC; null without one.</summary>
    public DateTime? ExpiresUtc => Identity?.TargetCertificate.NotAfter.ToUniversalTime();

    /// <summary>
    /// Reads PEM texts. <paramref name="certificate"/> may carry intermediates after the leaf. Certificate and key are both given or both null.
    /// </summary>
    /// <exception cref="CryptographicException">A text is not PEM, holds no certificate, or the key does not belong to the certificate.</exception>
    public static GrpcTlsMaterial FromPem(string authorities, string? certificate, string? key)
    {
        var roots = new X509Certificate2Collection();
        Import(roots, authorities, "the authority file");
        if (certificate is null)
        {
            return new GrpcTlsMaterial(null, roots);
        }

        var chain = new X509Certificate2Collection();
        Import(chain, certificate, "the certificate file");
        X509Certificate2 leaf;
        try
        {
            leaf = X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (ArgumentException mismatch)
        {
            throw new CryptographicException("the key does not belong to the certificate", mismatch);
        }

        var intermediates = new X509Certificate2Collection(chain.Skip(1).ToArray());
        return new GrpcTlsMaterial(SslStreamCertificateContext.Create(leaf, intermediates, offline: true), roots);
    }

    /// <summary>Options of a port that speaks HTTP/1.1 under the same certificates, with the same demands on the caller's.</summary>
    public SslServerAuthenticationOptions ForHttp(GrpcClientCertificates demand) => GrpcTls.ForServer(this, demand, [SslApplicationProtocol.Http11]);

    /// <summary>What the other side's certificate must stand: a chain to one of the authorities, within its dates, and the given usage.</summary>
    internal X509ChainPolicy RequireUsage(Oid usage)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(Authorities);
        policy.ApplicationPolicy.Add(usage);
        return policy;
    }

    private static void Import(X509Certificate2Collection into, string pem, string what)
    {
        into.ImportFromPem(pem);
        if (into.Count == 0)
        {
            throw new CryptographicException($"{what} holds no PEM certificate");
        }
    }
}
