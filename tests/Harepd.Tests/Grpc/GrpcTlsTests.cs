using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Harepd.Grpc;
using Xunit;

namespace Harepd.Tests.Grpc;

public sealed class GrpcTlsTests : IDisposable
{
    private const string Address = "127.10.3.1";
    private readonly Certificates _ours = new();
    private readonly Certificates _theirs = new("another authority");

    public void Dispose()
    {
        _ours.Dispose();
        _theirs.Dispose();
    }

    [Fact]
    public async Task Tls_is_spoken_and_the_server_verified()
    {
        await using var host = await ServeAsync(_ours.Material("node", Address, Certificates.ServerUsage));

        Assert.Equal("none", await SubjectAsync(host, _ours.TrustOnly()));
    }

    [Fact]
    public async Task A_server_of_another_authority_name_usage_or_date_is_unavailable()
    {
        var (certificate, key) = _ours.Sign("node", Address, validDays: 0, Certificates.ServerUsage);
        GrpcTlsMaterial[] wrong =
        [
            _theirs.Material("node", Address, Certificates.ServerUsage),
            _ours.Material("node", "127.10.3.99", Certificates.ServerUsage),
            _ours.Material("node", Address, Certificates.ClientUsage),
            GrpcTlsMaterial.FromPem(_ours.Authority, certificate, key),
        ];
        foreach (var material in wrong)
        {
            await using var host = await ServeAsync(material);
            using var channel = Open(host, _ours.TrustOnly());

            var failure = await channel.FailAsync("peer");

            Assert.Equal(GrpcStatusCode.Unavailable, failure.Code);
            Assert.Contains("TLS handshake failed", failure.Detail);
        }
    }

    [Fact]
    public async Task The_override_names_what_the_certificate_must_carry()
    {
        await using var host = await ServeAsync(_ours.Material("node", "db.example.net", Certificates.ServerUsage));
        using var right = Open(host, _ours.TrustOnly(), "db.example.net");
        using var wrong = Open(host, _ours.TrustOnly(), "db.example.org");

        await right.AskAsync("echo");
        Assert.Equal(GrpcStatusCode.Unavailable, (await wrong.FailAsync("echo")).Code);
    }

    [Fact]
    public async Task Mutual_tls_tells_the_handler_who_calls()
    {
        await using var host = await ServeAsync(_ours.Material("node", Address, Certificates.ServerUsage), GrpcClientCertificates.Required);

        Assert.Equal("CN=caller", await SubjectAsync(host, _ours.Material("caller", "x", Certificates.ClientUsage)));
        Assert.Equal("CN=both", await SubjectAsync(host, _ours.Material("both", "x", Certificates.ServerUsage, Certificates.ClientUsage)));
        Assert.Equal("CN=any", await SubjectAsync(host, _ours.Material("any", "x")));
    }

    [Fact]
    public async Task Mutual_tls_lets_nobody_in_without_a_right_certificate()
    {
        await using var host = await ServeAsync(_ours.Material("node", Address, Certificates.ServerUsage), GrpcClientCertificates.Required);
        var (certificate, key) = _theirs.Sign("caller", "x", usages: Certificates.ClientUsage);
        GrpcTlsMaterial[] wrong =
        [
            _ours.TrustOnly(),
            GrpcTlsMaterial.FromPem(_ours.Authority, certificate, key),
            _ours.Material("server", "x", Certificates.ServerUsage),
        ];
        foreach (var material in wrong)
        {
            using var channel = Open(host, material);
            Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("peer")).Code);
        }
    }

    [Fact]
    public async Task An_optional_client_certificate_may_be_missing_but_not_wrong()
    {
        await using var host = await ServeAsync(_ours.Material("node", Address, Certificates.ServerUsage), GrpcClientCertificates.Optional);
        using var wrong = Open(host, _ours.Material("server", "x", Certificates.ServerUsage));

        Assert.Equal("none", await SubjectAsync(host, _ours.TrustOnly()));
        Assert.Equal("CN=caller", await SubjectAsync(host, _ours.Material("caller", "x", Certificates.ClientUsage)));
        Assert.Equal(GrpcStatusCode.Unavailable, (await wrong.FailAsync("peer")).Code);
    }

    [Fact]
    public async Task A_new_handshake_uses_the_new_certificates()
    {
        var current = _theirs.Material("old", Address, Certificates.ServerUsage);
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync, listen: new GrpcListenOptions { Tls = () => current });
        using var before = Open(host, _ours.TrustOnly());
        Assert.Equal(GrpcStatusCode.Unavailable, (await before.FailAsync("x")).Code);

        current = _ours.Material("new", Address, Certificates.ServerUsage);

        await before.AskAsync("x");
    }

    [Fact]
    public async Task Plain_text_and_tls_do_not_understand_each_other_and_say_so()
    {
        await using var secure = await ServeAsync(_ours.Material("node", Address, Certificates.ServerUsage));
        await using var plain = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var tooOpen = Calls.Open(secure.EndPoint);
        using var tooShy = Open(plain, _ours.TrustOnly());

        Assert.Equal(GrpcStatusCode.Unavailable, (await tooOpen.FailAsync("x")).Code);
        Assert.Equal(GrpcStatusCode.Unavailable, (await tooShy.FailAsync("x")).Code);
    }

    [Fact]
    public async Task A_handshake_that_never_ends_costs_the_deadline()
    {
        using var silent = Calls.Listen(Address);
        using var channel = new GrpcChannel(
            Address, ((System.Net.IPEndPoint)silent.LocalEndPoint!).Port, new GrpcChannelOptions { Tls = _ours.TrustOnly, ConnectTimeout = Calls.Patience });

        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await channel.FailAsync("x", deadline: TimeSpan.FromMilliseconds(300))).Code);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, true)]
#pragma warning disable SYSLIB0039, CA5397 // Old versions are named to see them refused.
    [InlineData(SslProtocols.Tls11, false)]
#pragma warning restore SYSLIB0039, CA5397
    public async Task Only_new_versions_of_tls_are_spoken_and_alpn_is_not_demanded(SslProtocols version, bool isSpoken)
    {
        await using var host = await ServeAsync(_ours.Material("node", Address, Certificates.ServerUsage));
        using var socket = new TcpClient();
        await socket.ConnectAsync(host.EndPoint);
        await using var secure = new SslStream(socket.GetStream(), false, (_, _, _, errors) => errors == SslPolicyErrors.RemoteCertificateChainErrors);

        async Task<byte> GreetAsync()
        {
            await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Address, EnabledSslProtocols = version });
            await secure.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray());
            var frame = new byte[9];
            await secure.ReadExactlyAsync(frame);
            return frame[3];
        }

        if (isSpoken)
        {
            Assert.Equal(4, await GreetAsync());
        }
        else
        {
            await Assert.ThrowsAnyAsync<Exception>(GreetAsync);
        }
    }

    [Fact]
    public void Texts_that_are_no_certificates_are_refused_with_a_reason()
    {
        var (certificate, key) = _ours.Sign("a", "x");
        var (_, otherKey) = _ours.Sign("b", "x");

        Assert.Contains("authority", Assert.Throws<CryptographicException>(() => GrpcTlsMaterial.FromPem("nothing", certificate, key)).Message);
        Assert.Contains("certificate file", Assert.Throws<CryptographicException>(() => GrpcTlsMaterial.FromPem(_ours.Authority, "nothing", key)).Message);
        Assert.Contains("does not belong", Assert.Throws<CryptographicException>(() => GrpcTlsMaterial.FromPem(_ours.Authority, certificate, otherKey)).Message);
        Assert.Throws<CryptographicException>(() => GrpcTlsMaterial.FromPem(_ours.Authority, certificate, "nothing"));
        Assert.Throws<CryptographicException>(() => GrpcTlsMaterial.FromPem(_ours.Authority, certificate, null));
    }

    private static Task<GrpcHost> ServeAsync(GrpcTlsMaterial material, GrpcClientCertificates demand = GrpcClientCertificates.NotAsked) =>
        Calls.ServeAsync(Address, Calls.ByNameAsync, listen: new GrpcListenOptions { Tls = () => material, ClientCertificates = demand });

    private static GrpcChannel Open(GrpcHost host, GrpcTlsMaterial material, string? serverName = null) =>
        Calls.Open(host.EndPoint, new GrpcChannelOptions { Tls = () => material, ServerName = serverName, ConnectTimeout = Calls.Patience });

    private static async Task<string> SubjectAsync(GrpcHost host, GrpcTlsMaterial material)
    {
        using var channel = Open(host, material);
        return (await channel.AskAsync("peer")).Witness;
    }
}
