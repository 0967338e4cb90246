using System.Buffers;
using System.Collections.Immutable;
using System.Net.Sockets;
using System.Text;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// Speaks HAProxy's runtime API over one socket: each call is a connection of its own with one line of commands parted by
/// <c>;</c> (non-interactive mode), because an interactive prompt would have to be told apart from data and a kept connection
/// would stay with the old worker after a reload. Synchronous; thread-safe, calls do not wait for each other.
/// </summary>
internal sealed class RuntimeClient
{
    /// <summary>Replies over this are refused; a thousand servers take about 150 kB.</summary>
    internal const int LargestReply = 2 * 1024 * 1024;

    /// <summary>HAProxy takes a line of up to <c>tune.bufsize</c> bytes (16,384 by default); stay well below.</summary>
    internal const int LongestLine = 8 * 1024;

    private readonly RemoteName _remote;
    private readonly string _prefix;
    private readonly bool _isMaster;
    private readonly string _name;

    /// <param name="address">The socket.</param>
    /// <param name="isMaster">
    /// The master's socket: it keeps the connection open after its answer (2.6) until the caller says that no more commands follow,
    /// where a worker's socket closes by itself.
    /// </param>
    /// <param name="prefix">Put before each command; <c>"@1 "</c> reaches the current worker through the master socket.</param>
    public RuntimeClient(RuntimeAddress address, bool isMaster = false, string prefix = "")
    {
        _isMaster = isMaster;
        _remote = new RemoteName(address);
        _prefix = prefix;
        _name = address.ToString()!;
    }

    /// <summary>
    /// Sends the commands in one batch and returns the reply's blocks. HAProxy carries out every command even when one before
    /// it failed, so callers judge by the state they read back in the same batch, never by the count of errors.
    /// </summary>
    /// <param name="commands">Whole commands without <c>;</c>, backslash or line end; at most 8 KiB together.</param>
    /// <param name="deadline">Boot-time clock; covers connecting, sending and the whole reply.</param>
    /// <param name="largestReply">In bytes.</param>
    internal RuntimeAnswer Ask(IReadOnlyList<string> commands, Instant deadline, int largestReply = LargestReply)
    {
        var line = Encoding.ASCII.GetBytes(string.Join("; ", commands.Select(c => _prefix + c)) + "\n");
        if (line.Length > LongestLine)
        {
            throw new ArgumentException("the batch is longer than HAProxy's line", nameof(commands));
        }

        if (_remote.Known is not { } end)
        {
            _remote.AskAgain();
            return Fail(RuntimeFault.Unreachable, "has a host name that is not resolved yet");
        }

        try
        {
            using var socket = RuntimeSocket.Open(end, deadline, out var reason);
            if (socket is null)
            {
                _remote.AskAgain();
                return Fail(RuntimeFault.Unreachable, reason);
            }

            return socket.Send(line, _isMaster, out reason) ? Collect(socket, largestReply) : Fail(RuntimeFault.CutShort, reason);
        }
        catch (SocketException ex)
        {
            return Fail(RuntimeFault.CutShort, $"failed ({ex.SocketErrorCode})");
        }
    }

    /// <summary>Waits for a host name to be resolved; only for callers that may wait.</summary>
    internal bool WaitKnown(Instant deadline) => _remote.WaitKnown(deadline);

    private RuntimeAnswer Collect(RuntimeSocket socket, int largestReply)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            var length = 0;
            while (true)
            {
                if (length == buffer.Length)
                {
                    buffer = Grow(buffer);
                }

                var received = socket.Receive(buffer.AsSpan(length));
                if (received <= 0)
                {
                    return Ended(received, buffer.AsSpan(0, length));
                }

                length += received;
                if (length > largestReply)
                {
                    return Fail(RuntimeFault.TooLong, $"answered more than {largestReply} bytes");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private RuntimeAnswer Ended(int how, ReadOnlySpan<byte> bytes)
    {
        if (how == -1)
        {
            return Fail(RuntimeFault.Silent, bytes.IsEmpty ? "did not answer in time" : "stopped answering half-way");
        }

        if (how == -2 || !IsWhole(bytes))
        {
            return Fail(RuntimeFault.CutShort, bytes.IsEmpty
                ? "closed the connection without an answer"
                : $"closed the connection in mid-reply: '{Printable(bytes)}'");
        }

        return new RuntimeAnswer.Blocks(Split(Encoding.Latin1.GetString(bytes)));
    }

    private RuntimeAnswer.Failed Fail(RuntimeFault fault, string reason) => new(fault, $"{_name} {reason}");

    /// <summary>A whole reply ends with an empty line, and that of a lone successful command is nothing else.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 0 && bytes[^1] == '\n' && (bytes.Length == 1 || bytes[^2] == '\n');

    private static ImmutableArray<string> Split(string text)
    {
        var blocks = ImmutableArray.CreateBuilder<string>();
        var from = 0;
        var at = 0;
        while (at < text.Length)
        {
            var end = text.IndexOf('\n', at);
            if (end == at)
            {
                blocks.Add(text[from..at]);
                from = at + 1;
            }

            at = end + 1;
        }

        return blocks.ToImmutable();
    }

    /// <summary>The beginning of what was received, without control characters, for a log line.</summary>
    internal static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, 80)]);
        return string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = source[i] is >= ' ' and <= '~' ? source[i] : '.';
            }
        });
    }

    private static byte[] Grow(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
