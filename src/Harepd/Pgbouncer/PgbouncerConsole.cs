using System.Collections.Immutable;
using System.Globalization;
using Harepd.Core.Model;
using Harepd.Postgres.Wire;

namespace Harepd.Pgbouncer;

/// <summary>
/// The admin console of one PgBouncer (PgBouncer manual, "Admin console"): PostgreSQL's protocol towards its database <c>pgbouncer</c>, simple queries
/// only. Keeps one session and opens it anew when it broke. For one thread at a time; every call is bounded.
/// </summary>
internal sealed class PgbouncerConsole(PgbouncerEndpoint endpoint, PgbouncerTarget target) : IDisposable
{
    private PgSession? _session;

    /// <summary>The databases and the connections to servers; null leaves a reason.</summary>
    public PgbouncerView? Read(Instant deadline, out string reason)
    {
        if (Ask("SHOW DATABASES", deadline, out reason) is not { } databases || Ask("SHOW SERVERS", deadline, out reason) is not { } links)
        {
            return null;
        }

        var rows = databases.Select(row => new PoolRow(row("name"), row("host"), Number(row("port")), row("paused") == "1", row("disabled") == "1"));
        return new PgbouncerView([.. rows], [.. links.Select(row => new PoolLink(row("database"), row("addr"), Number(row("port"))))]);
    }

    /// <summary>One setting as it is in force; null when it cannot be told.</summary>
    public string? Setting(string name, Instant deadline) =>
        Ask("SHOW CONFIG", deadline, out _)?.Where(row => row("key") == name).Select(row => row("value")).FirstOrDefault();

    /// <summary>Reads its files again.</summary>
    public string Reload(Instant deadline) => Do("RELOAD", deadline);

    /// <summary>
    /// New clients of a database wait, and its idle connections are closed. PgBouncer answers when the last one is free, which may be never: whoever
    /// calls gives it a moment, and then looks whether it is paused. The pause outlives the session that asked for it.
    /// </summary>
    public string Pause(string database, Instant deadline) => Do($"PAUSE \"{database}\"", deadline);

    /// <summary>The waiting clients are served.</summary>
    public string Resume(string database, Instant deadline) => Do($"RESUME \"{database}\"", deadline);

    /// <summary>Ends every connection of a database on both sides; new clients wait, as after <see cref="Pause"/>.</summary>
    public string Kill(string database, Instant deadline) => Do($"KILL \"{database}\"", deadline);

    public void Dispose() => Close();

    private string Do(string command, Instant deadline)
    {
        _ = Ask(command, deadline, out var reason);
        return reason;
    }

    /// <summary>The rows of an answer, each as a function from the column's name; null leaves a reason. PgBouncer's columns differ between its releases.</summary>
    private ImmutableArray<Func<string, string>>? Ask(string command, Instant deadline, out string reason)
    {
        var isFresh = _session is null;
        var reply = Query(command, deadline);
        if (reply.Fault is { EndsSession: true, Kind: PgFaultKind.Closed } && !isFresh)
        {
            // A session of before PgBouncer's restart says nothing about the one that runs now.
            reply = Query(command, deadline);
        }

        if (reply.Fault is { } fault)
        {
            reason = fault.Kind == PgFaultKind.Server ? $"{command}: {fault.Message}" : fault.Message;
            return null;
        }

        reason = "";
        var columns = reply.Columns.ToList();
        return [.. reply.Rows.Select(row => (Func<string, string>)(name => columns.IndexOf(name) is var at and >= 0 && at < row.Length ? row[at] ?? "" : ""))];
    }

    private PgReply Query(string command, Instant deadline)
    {
        PgFault? fault = null;
        _session ??= PgSession.TryOpen(EndpointOf(), deadline, out fault);
        if (_session is null)
        {
            return new PgReply([], fault);
        }

        var reply = _session.Query(command, deadline);
        if (_session.IsBroken || reply.Fault is { EndsSession: true })
        {
            Close();
        }

        return reply;
    }

    private PgEndpoint EndpointOf() => new()
    {
        Host = endpoint.Host,
        Port = endpoint.Port,
        User = target.User,
        Database = "pgbouncer",
        PassFile = target.PassFile,
        // PgBouncer ends a login that names a setting it does not know.
        PinsSearchPath = false,
    };

    private void Close()
    {
        _session?.Dispose();
        _session = null;
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
