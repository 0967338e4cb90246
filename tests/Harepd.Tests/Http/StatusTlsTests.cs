using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Harepd.Http;
using Harepd.Tests.Grpc;
using Harepd.Tests.Haproxy;
using Xunit;

namespace Harepd.Tests.Http;

/// <summary>The health answers over HTTPS: who is admitted with which certificate, and that HAProxy's check gets through.</summary>
public sealed class StatusTlsTests : IDisposable
{
    private readonly Certificates _ours = new();
    private readonly Certificates _foreign = new("someone else");
    private readonly NamedServer _server = new("a");

    public void Dispose()
    {
        _ours.Dispose();
        _foreign.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(false, "none", true)]
    [InlineData(false, "ours", true)]
    [InlineData(false, "foreign", false)]
    [InlineData(true, "none", false)]
    [InlineData(true, "ours", true)]
    [InlineData(true, "foreign", false)]
    public async Task A_caller_is_admitted_by_its_certificate(bool isRequired, string certificate, bool isAdmitted)
    {
        await using var server = await StartAsync(isRequired);
        using var handler = new SocketsHttpHandler();
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPem(_ours.Authority);
        handler.SslOptions.CertificateChainPolicy = trust;
        if (certificate != "none")
        {
            var (pem, key) = (certificate == "ours" ? _ours : _foreign).Sign("client", "client", usages: Certificates.ClientUsage);
            var shown = X509Certificate2.CreateFromPem(pem, key);
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(shown, null, offline: true);
        }

        using var client = new HttpClient(handler);
        var asking = client.GetAsync(new Uri($"https://{server.EndPoint}/primary"));

        if (isAdmitted)
        {
            Assert.Equal(HttpStatusCode.OK, (await asking).StatusCode);
        }
        else
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => asking);
        }
    }

    [Fact]
    public async Task Plain_text_gets_no_answer_there()
    {
        await using var server = await StartAsync(isRequired: false);
        using var client = new HttpClient();

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri($"http://{server.EndPoint}/primary")));
    }

    [Fact]
    public async Task Haproxys_check_gets_through_and_trusts_the_authority()
    {
        await using var server = await StartAsync(isRequired: false);
        var authority = Path.Combine(Path.GetTempPath(), $"harepd-ca-{Guid.NewGuid():N}.pem");
        await File.WriteAllTextAsync(authority, _ours.Authority);
        try
        {
            using var haproxy = new RealHaproxy(self => $"""
                listen wr
                  bind {self.Write}
                  option httpchk OPTIONS /primary
                  http-check expect status 200
                  {_server.Config} check inter 50ms addr {server.EndPoint.Address} port {server.EndPoint.Port} check-ssl verify required ca-file {authority}
                """);

            TestNet.Eventually(() => haproxy.Command("show stat wr 4 -1")!.Contains("L7OK", StringComparison.Ordinal), "up by its check");
        }
        finally
        {
            File.Delete(authority);
        }
    }

    private Task<StatusServer> StartAsync(bool isRequired)
    {
        var address = TestNet.Address();
        var material = _ours.Material("node", address.ToString(), Certificates.ServerUsage);
        return StatusServer.StartAsync(
            new StatusServerOptions { EndPoint = new IPEndPoint(address, 0), HeartbeatLimit = TimeSpan.FromHours(1), Tls = () => material, RequiresClientCertificate = isRequired },
            () => Statuses.Primary(Statuses.At()) with { LeaseDeadline = Core.Model.Instant.Forever },
            CancellationToken.None);
    }
}
