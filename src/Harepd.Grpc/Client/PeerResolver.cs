using System.Net;
using System.Net.Sockets;

namespace Harepd.Grpc;

/// <summary>
/// Finds the addresses of one peer. A literal address asks nobody. A name is asked for on a thread of its own, one question at a time, because the
/// system's resolver cannot be interrupted; once known, the last answer is used at once and refreshed beside the connection, so that a dead
/// name server delays only the first connection ever.
/// </summary>
internal sealed class PeerResolver(string host)
{
    private readonly Lock _lock = new();
    private readonly IPAddress? _literal = IPAddress.TryParse(host, out var address) ? address : null;
    private IPAddress[]? _known;
    private Task<IPAddress[]>? _asking;

    /// <summary>At least one address, or an exception.</summary>
    /// <exception cref="SocketException">The name has no address.</exception>
    /// <exception cref="OperationCanceledException">The token came first; the question goes on and serves a later call.</exception>
    public async ValueTask<IPAddress[]> ResolveAsync(CancellationToken token)
    {
        if (_literal is not null)
        {
            return [_literal];
        }

        Task<IPAddress[]> asking;
        lock (_lock)
        {
            if (_asking is null || _asking.IsCompleted)
            {
                _asking = Task.Factory.StartNew(Ask, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                _ = _asking.ContinueWith(static failed => failed.Exception, TaskContinuationOptions.OnlyOnFaulted);
            }

            if (_known is { } known)
            {
                return known;
            }

            asking = _asking;
        }

        return await asking.WaitAsync(token);
    }

    private IPAddress[] Ask()
    {
        var found = Dns.GetHostAddresses(host);
        if (found.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        lock (_lock)
        {
            _known = found;
        }

        return found;
    }
}
