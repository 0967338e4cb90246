using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Harepd.Grpc;

/// <summary>Opens the connection of a channel: name, TCP, TLS, all under the one token that carries the connect timeout.</summary>
internal sealed class PeerConnector(string host, int port, GrpcChannelOptions options)
{
    private const int MaxAttempts = 16;
    private const int TcpUserTimeout = 18;
    private static readonly TimeSpan Stagger = TimeSpan.FromMilliseconds(250);

    private readonly PeerResolver _resolver = new(host);

    public async ValueTask<Stream> ConnectAsync(CancellationToken token)
    {
        var addresses = await _resolver.ResolveAsync(token);
        var stream = new NetworkStream(await ConnectAnyAsync(addresses, token), ownsSocket: true);
        if (options.Tls is not { } material)
        {
            return stream;
        }

        // The handshake is done here and not by the HTTP handler, because the handler's certificates cannot change once it has begun.
        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            await secure.AuthenticateAsClientAsync(GrpcTls.ForClient(material(), options.ServerName ?? host), token);
            return secure;
        }
        catch
        {
            await secure.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Races attempts, a new one at each stagger and at once where an address fails and another is left. A lost SYN would cost the kernel's second
    /// otherwise, and the end of a cut would go unnoticed for as long.
    /// </summary>
    private async Task<Socket> ConnectAnyAsync(IPAddress[] addresses, CancellationToken token)
    {
        using var race = CancellationTokenSource.CreateLinkedTokenSource(token);
        var running = new List<Task<Socket>>();
        var started = 0;
        try
        {
            for (var isDue = true; ;)
            {
                if (isDue && started < MaxAttempts)
                {
                    running.Add(ConnectOneAsync(addresses[started++ % addresses.Length], race.Token));
                }

                var pause = Task.Delay(Stagger, race.Token);
                var first = await Task.WhenAny([.. running, pause]);
                token.ThrowIfCancellationRequested();
                isDue = first == pause || started < addresses.Length;
                if (first is Task<Socket> ended)
                {
                    running.Remove(ended);
                    if (ended.IsCompletedSuccessfully || (running.Count == 0 && started >= addresses.Length))
                    {
                        return await ended;
                    }
                }
            }
        }
        finally
        {
            await race.CancelAsync();
            running.ForEach(Discard);
        }
    }

    private static void Discard(Task<Socket> loser) => _ = loser.ContinueWith(
        static ended =>
        {
            if (ended.IsCompletedSuccessfully)
            {
                ended.Result.Dispose();
            }
            else
            {
                _ = ended.Exception;
            }
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task<Socket> ConnectOneAsync(IPAddress address, CancellationToken token)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Span<byte> silence = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(silence, (int)options.SilenceTimeout.TotalMilliseconds);
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, silence);
            }

            if (options.LocalAddress is { } local && local.AddressFamily == address.AddressFamily)
            {
                socket.Bind(new IPEndPoint(local, 0));
            }

            await socket.ConnectAsync(new IPEndPoint(address, port), token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
