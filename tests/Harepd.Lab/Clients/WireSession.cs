using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Harepd.Lab.Machine;

namespace Harepd.Lab.Clients;

/// <summary>
/// A PostgreSQL client reduced to what a lab needs: connect, log in by trust, run one statement, with a hard deadline for each, and nothing
/// that reconnects or retries behind one's back. The steps of a login can be taken one by one, to test a fence against half-open sessions.
/// Source: PostgreSQL manual, chapter "Frontend/Backend Protocol", version 3.0.
/// </summary>
public sealed class WireSession : IDisposable
{
    private const int MessageLimit = 1 << 20;

    private readonly Socket socket;

    private WireSession(Socket socket) => this.socket = socket;

    /// <summary>Opens the TCP connection and no more: the server waits for a start-up message.</summary>
    /// <param name="source">The loopback address to come from; null leaves it to the system.</param>
    /// <param name="from">The machine to come from; null: the test's own.</param>
    public static async Task<WireSession> OpenAsync(string address, int port, TimeSpan limit, string? source = null, NetworkMachine? from = null)
    {
        var opened = from?.OpenSocket() ?? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var timer = new CancellationTokenSource(limit);
            if (source is not null)
            {
                opened.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
            }

            await opened.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), timer.Token);
            return new WireSession(opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Sends the start-up message.</summary>
    public async Task SendStartupAsync(string user, string database, TimeSpan limit)
    {
        var body = Encoding.UTF8.GetBytes($"user\0{user}\0database\0{database}\0application_name\0writer\0\0");
        var message = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), 196608);
        body.CopyTo(message, 8);
        using var timer = new CancellationTokenSource(limit);
        await socket.SendAsync(message, timer.Token);
    }

    /// <summary>The type of the first message after the start-up message: <c>R</c> for an authentication request, <c>E</c> for an error.</summary>
    public async Task<char> FirstAnswerAsync(TimeSpan limit)
    {
        using var timer = new CancellationTokenSource(limit);
        return (char)(await ReadExactlyAsync(1, timer.Token))[0];
    }

    /// <summary>Reads until the session is ready.</summary>
    /// <exception cref="WireException">The server refused; the SQLSTATE tells why.</exception>
    public async Task FinishLoginAsync(TimeSpan limit)
    {
        using var timer = new CancellationTokenSource(limit);
        await ReadRowAsync(timer.Token);
    }

    /// <summary>Connects and logs in within one limit.</summary>
    public static async Task<WireSession> LoginAsync(string address, int port, string user, string database, TimeSpan limit, NetworkMachine? from = null)
    {
        var session = await OpenAsync(address, port, limit, from: from);
        try
        {
            await session.SendStartupAsync(user, database, limit);
            await session.FinishLoginAsync(limit);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Runs one statement and returns the columns of its last row as text; empty without a row.</summary>
    /// <exception cref="WireException">The server reported an error; the session may go on unless it was fatal.</exception>
    public async Task<IReadOnlyList<string>> QueryAsync(string sql, TimeSpan limit)
    {
        var body = Encoding.UTF8.GetBytes(sql);
        var message = new byte[6 + body.Length];
        message[0] = (byte)'Q';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 5 + body.Length);
        body.CopyTo(message, 5);
        using var timer = new CancellationTokenSource(limit);
        await socket.SendAsync(message, timer.Token);
        return await ReadRowAsync(timer.Token);
    }

    public void Dispose()
    {
        // Closed without a goodbye: a client that dies does not say one either.
        socket.Dispose();
    }

    // Reads to ReadyForQuery. An error message ends the read at once when it is fatal: the server closes the connection after it.
    private async Task<IReadOnlyList<string>> ReadRowAsync(CancellationToken cancel)
    {
        IReadOnlyList<string> row = [];
        WireException? error = null;
        while (true)
        {
            var header = await ReadExactlyAsync(5, cancel);
            var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - 4;
            if (length is < 0 or > MessageLimit)
            {
                throw new WireException("protocol", $"message of {length} bytes");
            }

            var body = await ReadExactlyAsync(length, cancel);
            switch ((char)header[0])
            {
                case 'D':
                    row = Columns(body);
                    break;
                case 'E':
                    error = ParseError(body);
                    if (error.IsFatal)
                    {
                        throw error;
                    }

                    break;
                case 'R' when BinaryPrimitives.ReadInt32BigEndian(body) != 0:
                    throw new WireException("authentication", "the lab's clients log in by trust alone");
                case 'Z':
                    return error is null ? row : throw error;
                default:
                    break;
            }
        }
    }

    private async Task<byte[]> ReadExactlyAsync(int count, CancellationToken cancel)
    {
        var buffer = new byte[count];
        for (var done = 0; done < count;)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(done), cancel);
            if (read == 0)
            {
                throw new WireException("eof", "the server closed the connection");
            }

            done += read;
        }

        return buffer;
    }

    private static List<string> Columns(byte[] body)
    {
        var columns = new List<string>();
        var position = 2;
        for (var left = BinaryPrimitives.ReadInt16BigEndian(body); left > 0; left--)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(position));
            position += 4;
            columns.Add(length < 0 ? "" : Encoding.UTF8.GetString(body, position, length));
            position += Math.Max(0, length);
        }

        return columns;
    }

    private static WireException ParseError(byte[] body)
    {
        var (state, text, severity) = ("", "", "");
        foreach (var field in Encoding.UTF8.GetString(body).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (field[0])
            {
                case 'C': state = field[1..]; break;
                case 'M': text = field[1..]; break;
                case 'V': severity = field[1..]; break;
                default: break;
            }
        }

        return new WireException(state, string.Create(CultureInfo.InvariantCulture, $"{severity}: {text}")) { IsFatal = severity is "FATAL" or "PANIC" };
    }
}
