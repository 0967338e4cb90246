using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Hba;

/// <summary>What the server thinks of the file on disk, before it is asked to load it.</summary>
/// <param name="LoadTime">When the server's configuration was last loaded, as text; compared for change only, so a stepped clock does not matter.</param>
/// <param name="Problem">Why the file would not be in force after a reload; empty when it would.</param>
internal readonly record struct HbaVerdict(string LoadTime, string Problem);

/// <summary>
/// Asks the running server about pg_hba.conf over a session that stays open, so that full slots do not shut it out. For one thread at a
/// time; synchronous. Source: the views pg_hba_file_rules (reads the file on disk) and the function pg_conf_load_time (moves with every
/// reload, also when the HBA file was not taken, which is why the file is checked too).
/// </summary>
internal sealed class HbaCheck(PgEndpoint endpoint) : IDisposable
{
    // These lines load all the same: the server only warns that they cannot match (hba.c, parse_hba_line).
    private const string Harmless = "error like '% record cannot match because %'";

    private const string Sql =
        "select pg_conf_load_time()::text; "
        + $"select line_number, error from pg_hba_file_rules where error is not null and not ({Harmless}) order by line_number limit 3; "
        + "select line_number, type, array_to_string(database, ','), array_to_string(user_name, ','), auth_method from pg_hba_file_rules limit ";

    /// <summary>A reload takes a fraction of a millisecond; after this long something is in its way.</summary>
    private static readonly TimeSpan _usual = TimeSpan.FromMilliseconds(50);

    private PgSession? _session;

    /// <summary>Opens the session ahead of need; false when the server does not let us in now.</summary>
    public bool Warm(Instant deadline) => Session(deadline, out _) is not null;

    /// <summary>Would a reload put exactly this block in force?</summary>
    /// <param name="content">The file as it was written.</param>
    /// <param name="deadline">For the answer.</param>
    /// <param name="fault">Why there is no answer.</param>
    public HbaVerdict? Judge(ReadOnlySpan<byte> content, Instant deadline, out PgFault? fault)
    {
        var expected = BlockRules(content);
        var reply = Query(Sql + expected.Count.ToString(CultureInfo.InvariantCulture), deadline);
        fault = reply.Fault;
        if (reply.Tables is not [[[{ } loadTime]], ..])
        {
            return null;
        }

        if (reply.Tables is not [_, var errors, var rules])
        {
            return new HbaVerdict(loadTime, fault?.SqlState == PgFault.InsufficientPrivilege
                ? $"user {endpoint.User} may not check pg_hba.conf: grant select on pg_hba_file_rules and execute on function pg_hba_file_rules() to it"
                : $"PostgreSQL does not show how it reads pg_hba.conf: {fault}");
        }

        if (errors.Count > 0)
        {
            return new HbaVerdict(loadTime, "PostgreSQL would not load pg_hba.conf: " + string.Join("; ", errors.Select(row => $"line {row[0]}: {row[1]}")));
        }

        var seen = rules.Select(row => string.Join(' ', row)).ToList();
        return new HbaVerdict(loadTime, seen.SequenceEqual(expected, StringComparer.Ordinal)
            ? ""
            : "PostgreSQL does not read the managed block first: is hbaConfig the file that its hba_file names?");
    }

    /// <summary>Waits until the server has loaded its configuration after <paramref name="before"/> was read; false when the time is over first.</summary>
    public bool WaitForLoad(string before, Instant deadline, out string problem)
    {
        problem = "PostgreSQL did not reload in time";
        var doubtAt = BootClock.Now + _usual;
        while (BootClock.Now < deadline)
        {
            if (BootClock.Now > doubtAt && BrokenSettings(deadline) is { } broken)
            {
                problem = broken;
                return false;
            }

            var reply = Query("select pg_conf_load_time()::text", deadline);
            if (reply.Value is { } now && now != before)
            {
                problem = "";
                return true;
            }

            if (reply.Fault is { } fault && fault.Kind != PgFaultKind.Closed)
            {
                problem = $"PostgreSQL does not say whether it reloaded: {fault}";
            }

            // A reload takes a fraction of a millisecond; the server's own answer paces this loop.
            Thread.Sleep(reply.Fault is null ? 0 : 1);
        }

        return false;
    }

    public void Dispose() => _session?.Dispose();

    /// <summary>pg_reload_conf(), for a daemon that may not signal the postmaster.</summary>
    public bool AskForReload(Instant deadline) => Query("select pg_reload_conf()", deadline).Value == "t";

    // What the view must show for the block, in its own words: line number, type, databases, users, method.
    private static List<string> BlockRules(ReadOnlySpan<byte> content)
    {
        var text = HbaText.FromBytes(content);
        var end = text.IndexOf(HbaMarker.EndLine, StringComparison.Ordinal);
        var rules = new List<string>();
        foreach (var line in HbaLine.Read(end < 0 ? "" : text[..end]).Where(line => line.Fields.Count >= 5))
        {
            // A list in a file is expanded by the server; the rules behind it need not be compared to know that the block is read first.
            if (line.Fields.Any(field => field.Tokens.Any(token => token.IncludedFile is not null)))
            {
                break;
            }

            string Names(int field) => HbaText.ForPeople(string.Join(',', line.Fields[field].Tokens.Select(token => token.Text)));
            var method = line.Fields.Skip(4).Select(field => field.Tokens[0].Text).FirstOrDefault(word => word.AsSpan().IndexOfAny('.', ':') < 0);
            rules.Add($"{line.Number} {line.Fields[0].Tokens[0].Text} {Names(1)} {Names(2)} {method}");
        }

        return rules;
    }

    // A postgresql.conf that does not parse keeps the load time where it was, although pg_hba.conf itself is loaded: nothing can be concluded then.
    private string? BrokenSettings(Instant deadline)
    {
        var reply = Query("select sourcefile, sourceline, error from pg_file_settings where error is not null limit 1", deadline);
        return reply.Rows is [[var file, var line, var error]]
            ? $"PostgreSQL cannot reload its settings, so nobody knows whether pg_hba.conf is in force: {file} line {line}: {error}"
            : null;
    }

    private PgReply Query(string sql, Instant deadline)
    {
        // A session that broke since its last use is opened again once; whoever ended it says nothing about the server.
        for (var attempt = 0; ; attempt++)
        {
            if (Session(deadline, out var fault) is not { } session)
            {
                return new PgReply([], fault);
            }

            var reply = session.Query(sql, deadline);
            if (!session.IsBroken)
            {
                return reply;
            }

            session.Dispose();
            _session = null;
            if (attempt > 0 || reply.Fault?.Kind == PgFaultKind.TimedOut)
            {
                return reply;
            }
        }
    }

    private PgSession? Session(Instant deadline, out PgFault? fault)
    {
        fault = null;
        return _session ??= PgSession.TryOpen(endpoint, deadline, out fault);
    }
}
