using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Harepd.Tests.Live;

/// <summary>How a peer that is no harepd behaves.</summary>
public enum BadPeerKind
{
    /// <summary>Accepts and says nothing, ever.</summary>
    Silent,

    /// <summary>Its queue is full: connection attempts are not even answered, as behind a firewall that drops.</summary>
    BlackHole,

    /// <summary>An HTTP/1 server.</summary>
    HttpOne,

    /// <summary>A TLS server where plain text is expected.</summary>
    Tls,

    /// <summary>Random bytes without end.</summary>
    Garbage,

    /// <summary>Closes every connection at once.</summary>
    Closing,
}

/// <summary>Stands where a daemon should and behaves badly; for faults that a real daemon cannot show.</summary>
internal sealed class BadPeer : IAsyncDisposable
{
    private const int MaxConnections = 10_000;

    private readonly CancellationTokenSource stop = new();
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> fillers = [];
    private readonly List<Task> handlers = [];
    private readonly BadPeerKind kind;
    private readonly Task accepting;

    private BadPeer(IPEndPoint address, BadPeerKind kind)
    {
        this.kind = kind;
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(address);
        listener.Listen(kind == BadPeerKind.BlackHole ? 0 : 128);
        accepting = kind == BadPeerKind.BlackHole ? FillAsync(address) : Task.Run(AcceptAsync);
    }

    public static BadPeer Start(string address, int port, BadPeerKind kind) => new(new IPEndPoint(IPAddress.Parse(address), port), kind);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        foreach (var filler in fillers)
        {
            filler.Dispose();
        }

        await Task.WhenAll(handlers);
        stop.Dispose();
    }

    // Connections that nobody accepts fill the queue; the kernel drops every further SYN.
    private async Task FillAsync(IPEndPoint address)
    {
        for (var i = 0; i < 4; i++)
        {
            var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            fillers.Add(filler);
            using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
            try
            {
                await filler.ConnectAsync(address, limit.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (handlers.Count < MaxConnections)
            {
                var socket = await listener.AcceptAsync(stop.Token);
                handlers.Add(HandleAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private async Task HandleAsync(Socket socket)
    {
        using var connection = socket;
        await using var stream = new NetworkStream(socket);
        try
        {
            switch (kind)
            {
                case BadPeerKind.HttpOne:
                    await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), stop.Token);
                    break;
                case BadPeerKind.Tls:
                    await using (var tls = new SslStream(stream))
                    {
                        using var certificate = MakeCertificate();
                        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop.Token);
                    }

                    break;
                case BadPeerKind.Garbage:
                    while (true)
                    {
                        await stream.WriteAsync(RandomNumberGenerator.GetBytes(1024), stop.Token);
                        await Task.Delay(10, stop.Token);
                    }

                case BadPeerKind.Closing:
                    return;
                default:
                    break;
            }

            await Task.Delay(Timeout.Infinite, stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // The daemon hung up, or the end of the test.
        }
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=stranger", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
