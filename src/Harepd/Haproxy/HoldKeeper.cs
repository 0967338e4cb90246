using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// The connection that takes the one slot of HAProxy's hold server, so that everybody else queues behind it. It is also what ends a hold whose
/// owner died: the kernel closes it with the process, the slot is free, and what waits is let go by HAProxy itself, one after the other. Not thread-safe.
/// </summary>
internal sealed class HoldKeeper(RuntimeAddress address) : IDisposable
{
    /// <summary>How the keeper tells itself from a client behind the hold server; no PostgreSQL client begins like this (its length comes first).</summary>
    internal const string Greeting = "hold";

    private readonly RemoteName _remote = new(address);
    private RuntimeSocket? _socket;

    /// <summary>True while HAProxy has not ended the connection.</summary>
    public bool IsAlive => _socket is { HasEnded: false };

    /// <summary>Connects where there is no living connection; false leaves a reason.</summary>
    internal bool Open(Instant deadline, out string reason)
    {
        if (IsAlive)
        {
            reason = "";
            return true;
        }

        Close();
        if (_remote.Known is not { } end)
        {
            _remote.AskAgain();
            reason = $"the hold at {address} has a host name that is not resolved yet";
            return false;
        }

        _socket = RuntimeSocket.Open(end, deadline, out reason);
        if (_socket is not null && _socket.Send(System.Text.Encoding.ASCII.GetBytes(Greeting), isLast: false, out reason))
        {
            return true;
        }

        reason = $"the hold at {address} {reason}";
        Close();
        return false;
    }

    internal void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    public void Dispose() => Close();
}
