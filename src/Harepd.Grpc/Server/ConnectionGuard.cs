using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Harepd.Grpc;

/// <summary>
/// Keeps strangers cheap: bounds the connections of one address, and ends a connection that has not said the HTTP/2 preface in time.
/// Kestrel alone would let a silent connection live for its whole idle timeout.
/// </summary>
internal sealed class ConnectionGuard(GrpcListenOptions options)
{
    private readonly ConcurrentDictionary<IPAddress, int> _open = new();

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public ConnectionDelegate Bound(ConnectionDelegate next) => async connection =>
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        try
        {
            if (_open.AddOrUpdate(address, 1, static (_, count) => count + 1) <= options.MaxConnectionsPerAddress)
            {
                await next(connection);
            }
        }
        finally
        {
            Leave(address);
        }
    };

    public ConnectionDelegate AwaitPreface(ConnectionDelegate next) => async connection =>
    {
        if (await HasSpokenAsync(connection))
        {
            // Kestrel insists on ALPN under TLS; the 2021 daemon's peers need not offer it, and the preface says as much.
            if (connection.Features.Get<ITlsApplicationProtocolFeature>() is { ApplicationProtocol.IsEmpty: true })
            {
                connection.Features.Set<ITlsApplicationProtocolFeature>(new PriorKnowledge());
            }

            await next(connection);
        }
        else
        {
            connection.Abort();
        }
    };

    private async Task<bool> HasSpokenAsync(ConnectionContext connection)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(options.HandshakeTimeout);
        var input = connection.Transport.Input;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(patience.Token);
                var isDecided = read.IsCompleted || read.Buffer.Length >= Preface.Length || !IsBeginOfPreface(read.Buffer);

                // Nothing is consumed: Kestrel reads the same bytes again, and answers HTTP/1 and garbage in its own way.
                input.AdvanceTo(read.Buffer.Start, isDecided ? read.Buffer.Start : read.Buffer.End);
                if (isDecided)
                {
                    return true;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool IsBeginOfPreface(ReadOnlySequence<byte> said) => Preface.StartsWith(said.ToArray());

    private void Leave(IPAddress address)
    {
        while (_open.TryGetValue(address, out var count))
        {
            var isGone = count == 1
                ? _open.TryRemove(new KeyValuePair<IPAddress, int>(address, 1))
                : _open.TryUpdate(address, count - 1, count);
            if (isGone)
            {
                return;
            }
        }
    }

    private sealed class PriorKnowledge : ITlsApplicationProtocolFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol => SslApplicationProtocol.Http2.Protocol;
    }
}
