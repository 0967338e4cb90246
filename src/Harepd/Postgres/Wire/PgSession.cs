using System.Buffers.Binary;
using System.Text;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres.Wire;

/// <summary>
/// One session on the local PostgreSQL: login and the simple query protocol, synchronous, every call with a deadline on the boot-time
/// clock. For one thread at a time. After a fault whose <see cref="PgFault.EndsSession"/> is true only Dispose is of use.
/// Source: PostgreSQL manual, "Frontend/Backend Protocol".
/// </summary>
internal sealed class PgSession : IDisposable
{
    private readonly PgChannel _channel;

    private PgSession(PgChannel channel) => _channel = channel;

    /// <summary>For poll: readable while idle means the server ended the session or sent a notice.</summary>
    public int Descriptor => _channel.Descriptor;

    /// <summary>True after a fault that ended the session.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The postmaster's pid as the socket's listener; zero where unknown.</summary>
    public int ListenerPid => _channel.ListenerPid;

    /// <summary>Connects and logs in.</summary>
    /// <param name="endpoint">Where and as whom.</param>
    /// <param name="deadline">For connecting and login together.</param>
    /// <param name="fault">Why there is no session.</param>
    /// <param name="interrupt">Ends any wait of this session early when signalled; null for none.</param>
    public static PgSession? TryOpen(PgEndpoint endpoint, Instant deadline, out PgFault? fault, WakeEvent? interrupt = null)
    {
        var channel = PgChannel.TryConnect(endpoint, deadline, interrupt, out fault);
        if (channel is null)
        {
            return null;
        }

        fault = new PgLogin(channel, endpoint, deadline).Run();
        if (fault is null)
        {
            return new PgSession(channel);
        }

        channel.Dispose();
        return null;
    }

    /// <summary>Runs one or more statements and reads every row. A server error leaves the session usable unless PostgreSQL ends it.</summary>
    public PgReply Query(string sql, Instant deadline)
    {
        if (_channel.Send(PgChannel.Message('Q', sql), deadline) is { } sendFault)
        {
            return Broken(sendFault);
        }

        var tables = new List<IReadOnlyList<string?[]>>();
        List<string?[]>? rows = null;
        IReadOnlyList<string> columns = [];
        PgFault? failure = null;
        while (true)
        {
            if (_channel.Receive(deadline, out var type, out var body) is { } fault)
            {
                return Broken(failure is null ? fault : failure with { EndsSession = true });
            }

            switch (type)
            {
                case 'T':
                    rows = [];
                    columns = Names(body);
                    break;
                case 'D' when rows is not null:
                    if (Row(body) is not { } row)
                    {
                        return Broken(new PgFault(PgFaultKind.Protocol, "", "a row of the answer makes no sense"));
                    }

                    rows.Add(row);
                    break;
                case 'C' when rows is not null:
                    tables.Add(rows);
                    rows = null;
                    break;
                case 'E':
                    failure = Error(body);
                    break;
                case 'Z':
                    return new PgReply(tables, failure) { Columns = columns };
                default:
                    // Notices, parameter reports and completions without rows carry nothing that is asked for here.
                    break;
            }
        }
    }

    public void Dispose() => _channel.Dispose();

    /// <summary>PostgreSQL's ErrorResponse as a fault.</summary>
    public static PgFault Error(ReadOnlySpan<byte> body)
    {
        string state = "", message = "", severity = "";
        while (body.Length > 1)
        {
            var end = body.IndexOf((byte)0);
            if (end < 1)
            {
                break;
            }

            var text = Encoding.UTF8.GetString(body[1..end]);
            switch ((char)body[0])
            {
                case 'C': state = text; break;
                case 'M': message = text; break;
                case 'V': severity = text; break;
                default: break;
            }

            body = body[(end + 1)..];
        }

        return new PgFault(PgFaultKind.Server, state, message) { EndsSession = severity is "FATAL" or "PANIC" };
    }

    /// <summary>PostgreSQL's RowDescription: a name, then eighteen bytes about it, for each column.</summary>
    private static List<string> Names(ReadOnlySpan<byte> body)
    {
        const int facts = 18;
        var names = new List<string>();
        body = body.Length < 2 ? [] : body[2..];
        while (body.IndexOf((byte)0) is var end and >= 0)
        {
            names.Add(Encoding.UTF8.GetString(body[..end]));
            body = body.Length < end + 1 + facts ? [] : body[(end + 1 + facts)..];
        }

        return names;
    }

    private static string?[]? Row(ReadOnlySpan<byte> body)
    {
        var count = body.Length < 2 ? -1 : BinaryPrimitives.ReadInt16BigEndian(body);
        if (count < 0)
        {
            return null;
        }

        var values = new string?[count];
        body = body[2..];
        for (var i = 0; i < count; i++)
        {
            if (body.Length < 4 || BinaryPrimitives.ReadInt32BigEndian(body) is var length && length > body.Length - 4)
            {
                return null;
            }

            values[i] = length < 0 ? null : Encoding.UTF8.GetString(body.Slice(4, length));
            body = body[(4 + Math.Max(0, length))..];
        }

        return values;
    }

    private PgReply Broken(PgFault fault)
    {
        IsBroken = true;
        return new PgReply([], fault);
    }
}
