using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Tries whether a primary can write, without a table: an empty logical message, committed on the local disk. A disk that is full lets it through for
/// as long as WAL files are left to be reused, so where next to no space is free a small temporary file of a sort is tried too; free space by
/// itself condemns nobody. For one thread, but for <see cref="Ask"/>.
/// Source: PostgreSQL manual, "pg_logical_emit_message".
/// </summary>
internal sealed class WriteProbe(PostgresSettings settings, DataFolder folder)
{
    private const string Write = "select case when not pg_is_in_recovery() then pg_logical_emit_message(true, 'harepd', '') end";
    private const long NextToNothing = 8L << 20;

    /// <summary>Sorts one megabyte with room for 64 kB, in the data folder whatever the configuration says of temporary tablespaces.</summary>
    private const string Spill = """
        select set_config('work_mem', '64', false), set_config('temp_tablespaces', '', false);
        select count(*) from (select repeat('x', 1000) || i from generate_series(1, 1000) i order by 1 offset 0) s
        """;

    private Instant _next;
    private int _lost;
    private volatile bool _isAsked;

    /// <summary>Write at the next chance, whatever the rhythm.</summary>
    public void Ask() => _isAsked = true;

    /// <summary>Writes when it is time to, and always while there is trouble.</summary>
    /// <param name="session">A fresh session.</param>
    /// <param name="before">The trouble until now.</param>
    /// <returns>The trouble from now on, empty for none; null when nothing was learnt.</returns>
    public string? Try(PgSession session, string before)
    {
        if (settings.WriteProbeInterval <= TimeSpan.Zero || (BootClock.Now < _next && before.Length == 0 && !_isAsked))
        {
            return before;
        }

        _isAsked = false;
        _next = BootClock.Now + settings.WriteProbeInterval;
        var reply = session.Query(Write, BootClock.Now + settings.HangTimeout);
        if (reply.Fault is { } fault)
        {
            return Judge(fault, before);
        }

        _lost = 0;
        var isPrimary = reply.Value is not null;
        return isPrimary && IsNextToFull() && session.Query(Spill, BootClock.Now + settings.HangTimeout).Fault is { } spilt ? Judge(spilt, before) : "";
    }

    private string? Judge(PgFault fault, string before)
    {
        if (fault.Kind == PgFaultKind.Interrupted)
        {
            return null;
        }

        // One write that ends with its session may be an operator's doing or another process's crash; the second in a row is not.
        _lost = fault.EndsSession && fault.Kind != PgFaultKind.TimedOut ? _lost + 1 : 0;
        var trouble = WriteTrouble.Of(fault);
        return trouble.Length > 0 ? trouble : _lost >= 2 ? "the server ends whenever it is to write" : before;
    }

    private bool IsNextToFull()
    {
        try
        {
            return folder.Known is { } path && new DriveInfo(path).AvailableFreeSpace < NextToNothing;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }
}
