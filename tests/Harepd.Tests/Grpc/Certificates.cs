using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Harepd.Grpc;

namespace Harepd.Tests.Grpc;

/// <summary>An authority of a test's own, and what it signs, as PEM texts.</summary>
internal sealed class Certificates : IDisposable
{
    public const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    public const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    public Certificates(string name = "test authority")
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }

    public string Authority => _authority.ExportCertificatePem() + "\n";

    /// <summary>Signs a certificate for an address (or a name) with the given usages; none at all where none is given.</summary>
    public (string Certificate, string Key) Sign(string name, string san, int validDays = 10, params string[] usages)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(san, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(san);
        }

        request.CertificateExtensions.Add(names.Build());
        if (usages.Length > 0)
        {
            var oids = new OidCollection();
            Array.ForEach(usages, usage => oids.Add(new Oid(usage)));
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, false));
        }

        using var certificate = request.Create(
            _authority, DateTimeOffset.UtcNow.AddHours(-12), DateTimeOffset.UtcNow.AddHours(-11).AddDays(validDays), Guid.NewGuid().ToByteArray());
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public GrpcTlsMaterial Material(string name, string san, params string[] usages)
    {
        var (certificate, key) = Sign(name, san, usages: usages);
        return GrpcTlsMaterial.FromPem(Authority, certificate, key);
    }

    public GrpcTlsMaterial TrustOnly() => GrpcTlsMaterial.FromPem(Authority, null, null);

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }
}
