using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres.Wire;

/// <summary>
/// PostgreSQL's message framing over one socket, every wait bounded by a boot-time instant and done by poll(2) on the calling thread. Exists
/// because a fence has milliseconds and must not depend on the thread pool: the driver's time-outs are whole seconds, or need the pool.
/// </summary>
internal sealed class PgChannel : IDisposable
{
    /// <summary>No answer asked for here comes near it; a larger one is garbage.</summary>
    private const int LargestMessage = 16 << 20;

    private readonly Socket _socket;
    private readonly WakeEvent? _interrupt;
    private byte[] _buffer = new byte[8192];
    private int _start;
    private int _end;

    private PgChannel(Socket socket, WakeEvent? interrupt)
    {
        _socket = socket;
        _interrupt = interrupt;
    }

    /// <summary>For poll: readable when something came or the other side ended.</summary>
    public int Descriptor => (int)_socket.Handle;

    /// <summary>The pid of whoever listens on the unix socket, which is the postmaster itself; zero for TCP or where the kernel does not say.</summary>
    public unsafe int ListenerPid
    {
        get
        {
            const int solSocket = 1, soPeerCred = 17;
            var credentials = stackalloc int[3];
            var length = 12;
            return _socket.AddressFamily == AddressFamily.Unix && Kernel.GetSockOpt(Descriptor, solSocket, soPeerCred, credentials, &length) == 0
                ? credentials[0]
                : 0;
        }
    }

    /// <summary>Connects; a full listen queue (a stopped postmaster) is waited for until the deadline.</summary>
    public static PgChannel? TryConnect(PgEndpoint endpoint, Instant deadline, WakeEvent? interrupt, out PgFault? fault)
    {
        if (AddressOf(endpoint) is not { } address)
        {
            fault = new PgFault(PgFaultKind.NotThere, "", $"{endpoint.Host} is neither a socket folder nor an IP address");
            return null;
        }

        while (true)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            var error = Connect(socket, address, deadline);
            if (error == SocketError.Success)
            {
                fault = null;
                return new PgChannel(socket, interrupt);
            }

            socket.Dispose();
            if (error != SocketError.WouldBlock && error != SocketError.TimedOut)
            {
                fault = new PgFault(PgFaultKind.NotThere, "", $"nobody listens on {endpoint}");
                return null;
            }

            if (BootClock.Now >= deadline)
            {
                fault = new PgFault(PgFaultKind.TimedOut, "", $"{endpoint} does not take the connection");
                return null;
            }

            Thread.Sleep(1);
        }
    }

    /// <summary>Sends whole messages.</summary>
    public PgFault? Send(ReadOnlySpan<byte> bytes, Instant deadline)
    {
        while (bytes.Length > 0)
        {
            var sent = _socket.Send(bytes, SocketFlags.None, out var error);
            if (error == SocketError.Success)
            {
                bytes = bytes[sent..];
            }
            else if (error != SocketError.WouldBlock)
            {
                return new PgFault(PgFaultKind.Closed, "", "the server ended the connection");
            }
            else if (BootClock.Now >= deadline)
            {
                return new PgFault(PgFaultKind.TimedOut, "", "the server does not take the statement");
            }
            else
            {
                Thread.Sleep(1);
            }
        }

        return null;
    }

    /// <summary>The next message: its type and a body that is valid until the next call.</summary>
    public PgFault? Receive(Instant deadline, out char type, out ReadOnlySpan<byte> body)
    {
        type = '\0';
        body = default;
        if (Fill(5, deadline) is { } headerFault)
        {
            return headerFault;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start + 1));
        if (length is < 4 or > LargestMessage)
        {
            return new PgFault(PgFaultKind.Protocol, "", "the answer is not PostgreSQL's protocol");
        }

        if (Fill(1 + length, deadline) is { } bodyFault)
        {
            return bodyFault;
        }

        type = (char)_buffer[_start];
        body = _buffer.AsSpan(_start + 5, length - 4);
        _start += 1 + length;
        return null;
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>One message of the given type around a body of strings, each ended by a zero byte.</summary>
    public static byte[] Message(char type, ReadOnlySpan<byte> body)
    {
        var message = new byte[5 + body.Length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message.AsSpan(5));
        return message;
    }

    public static byte[] Message(char type, string text) => Message(type, Encoding.UTF8.GetBytes(text + "\0"));

    private static EndPoint? AddressOf(PgEndpoint endpoint) =>
        endpoint.IsUnixSocket ? new UnixDomainSocketEndPoint(Path.Combine(endpoint.Host, $".s.PGSQL.{endpoint.Port}"))
        : endpoint.Host == "localhost" ? new IPEndPoint(IPAddress.Loopback, endpoint.Port)
        : IPAddress.TryParse(endpoint.Host, out var address) ? new IPEndPoint(address, endpoint.Port)
        : null;

    private static SocketError Connect(Socket socket, EndPoint address, Instant deadline)
    {
        try
        {
            socket.Connect(address);
            return SocketError.Success;
        }
        catch (SocketException error) when (address is IPEndPoint && error.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            var left = Math.Max(0, (long)(deadline - BootClock.Now).TotalMicroseconds);
            var isDone = socket.Poll(TimeSpan.FromMicroseconds(left), SelectMode.SelectWrite);
            return isDone ? (SocketError)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! : SocketError.TimedOut;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }

    private PgFault? Fill(int count, Instant deadline)
    {
        while (_end - _start < count)
        {
            MakeRoom(count);
            var received = _socket.Receive(_buffer.AsSpan(_end), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                if (Wait(deadline) is { } fault)
                {
                    return fault;
                }
            }
            else if (error != SocketError.Success || received == 0)
            {
                return new PgFault(PgFaultKind.Closed, "", "the server ended the connection");
            }
            else
            {
                _end += received;
            }
        }

        return null;
    }

    private void MakeRoom(int count)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_buffer.Length < count)
        {
            Array.Resize(ref _buffer, Math.Max(count, _buffer.Length * 2));
        }
    }

    private PgFault? Wait(Instant deadline)
    {
        var left = deadline - BootClock.Now;
        if (left <= TimeSpan.Zero)
        {
            return new PgFault(PgFaultKind.TimedOut, "", "the server does not answer");
        }

        Span<PollEntry> entries = [new(Descriptor, Kernel.PollIn), new(_interrupt?.Descriptor ?? -1, Kernel.PollIn)];
        _ = Kernel.Poll(entries, (int)Math.Min(int.MaxValue, Math.Ceiling(left.TotalMilliseconds)));
        return entries[1].IsReady && !entries[0].IsReady ? new PgFault(PgFaultKind.Interrupted, "", "interrupted") : null;
    }
}
