using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Harepd.Grpc;

/// <summary>Opens the connection of a channel: name, TCP, TLS, all under the one token that carries the connect timeout.</summary>
internal sealed class PeerConnector(string host, int port, GrpcChannelOptions options)
{
    private const int MaxAddresses = 4;
    private const int TcpUserTimeout = 18;

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

    private async Task<Socket> ConnectAnyAsync(IPAddress[] addresses, CancellationToken token)
    {
        var count = Math.Min(addresses.Length, MaxAddresses);
        for (var i = 0; ; i++)
        {
            using var share = CancellationTokenSource.CreateLinkedTokenSource(token);
            share.CancelAfter(options.ConnectTimeout / count);
            try
            {
                return await ConnectOneAsync(addresses[i], share.Token);
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException
                && i + 1 < count && !token.IsCancellationRequested)
            {
                // The next address may do better; the last one's failure is the one that is told.
            }
        }
    }

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
