using System.Net;
using System.Net.Sockets;
using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// One connection with a deadline on every step, made of non-blocking system calls and poll(2) only: no thread pool, no event
/// engine and no timer stands between a fence and HAProxy. Not thread-safe.
/// </summary>
internal sealed class RuntimeSocket : IDisposable
{
    private readonly Socket _socket;
    private readonly Instant _deadline;

    private RuntimeSocket(Socket socket, Instant deadline)
    {
        _socket = socket;
        _deadline = deadline;
    }

    /// <summary>True when the other side ended the connection, or sent something, which nobody waits for here.</summary>
    public bool HasEnded => _socket.Poll(0, SelectMode.SelectRead);

    public void Dispose() => _socket.Dispose();

    /// <summary>Connects before <paramref name="deadline"/> (boot-time clock). Null leaves the reason.</summary>
    internal static RuntimeSocket? Open(EndPoint remote, Instant deadline, out string reason)
    {
        while (true)
        {
            var socket = Fresh(remote);
            var opened = false;
            try
            {
                opened = Connect(socket, remote, deadline, out reason, out var mayRetry);
                if (opened)
                {
                    return new RuntimeSocket(socket, deadline);
                }

                if (!mayRetry || BootClock.Now >= deadline)
                {
                    return null;
                }
            }
            finally
            {
                if (!opened)
                {
                    socket.Dispose();
                }
            }

            // A unix listener with a full backlog answers at once instead of queueing the caller: try again shortly.
            Thread.Sleep(1);
        }
    }

    /// <summary>Sends everything, and the end of it where <paramref name="isLast"/>, or fails with a reason.</summary>
    internal bool Send(ReadOnlySpan<byte> bytes, bool isLast, out string reason)
    {
        while (bytes.Length > 0)
        {
            if (!Await(_socket, _deadline, SelectMode.SelectWrite))
            {
                reason = "did not take the command in time";
                return false;
            }

            var sent = _socket.Send(bytes, SocketFlags.None, out var error);
            if (error is not (SocketError.Success or SocketError.WouldBlock))
            {
                reason = $"closed the connection ({error})";
                return false;
            }

            bytes = bytes[Math.Max(sent, 0)..];
        }

        if (isLast)
        {
            _socket.Shutdown(SocketShutdown.Send);
        }

        reason = "";
        return true;
    }

    /// <summary>Receives some bytes; 0 is the peer's end, -1 the deadline, -2 a broken connection.</summary>
    internal int Receive(Span<byte> buffer)
    {
        while (Await(_socket, _deadline, SelectMode.SelectRead))
        {
            var received = _socket.Receive(buffer, SocketFlags.None, out var error);
            if (error == SocketError.Success)
            {
                return received;
            }

            if (error != SocketError.WouldBlock)
            {
                return -2;
            }
        }

        return -1;
    }

    private static Socket Fresh(EndPoint remote)
    {
        var socket = remote is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Blocking = false;
        return socket;
    }

    private static bool Connect(Socket socket, EndPoint remote, Instant deadline, out string reason, out bool mayRetry)
    {
        mayRetry = false;
        try
        {
            socket.Connect(remote);
        }
        catch (SocketException ex) when (ex.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress or SocketError.TryAgain)
        {
            if (remote is UnixDomainSocketEndPoint)
            {
                reason = "is too busy to accept a connection";
                mayRetry = true;
                return false;
            }

            return FinishConnect(socket, deadline, out reason);
        }
        catch (SocketException ex)
        {
            reason = $"cannot be connected ({ex.SocketErrorCode})";
            return false;
        }

        reason = "";
        return true;
    }

    private static bool FinishConnect(Socket socket, Instant deadline, out string reason)
    {
        if (!Await(socket, deadline, SelectMode.SelectWrite))
        {
            reason = "cannot be connected in time";
            return false;
        }

        var error = (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        reason = error == SocketError.Success ? "" : $"cannot be connected ({error})";
        return error == SocketError.Success;
    }

    private static bool Await(Socket socket, Instant deadline, SelectMode mode)
    {
        while (true)
        {
            var left = deadline - BootClock.Now;
            if (left <= TimeSpan.Zero)
            {
                return false;
            }

            // Bounded slices: poll(2) counts in a clock that stops during suspend, the deadline does not.
            var slice = Math.Min(left.Ticks / TimeSpan.TicksPerMicrosecond + 1, 100_000);
            if (socket.Poll((int)slice, mode))
            {
                return true;
            }
        }
    }
}
