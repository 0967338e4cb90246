using System.Globalization;
using Harepd.Core.Model;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres;

/// <summary>What one look by a session of harepd's own user tells of the server and of that user's rights.</summary>
internal sealed record ServerInspection
{
    private const string Sql = """
        select current_setting('server_version'), pg_is_in_recovery(),
            current_setting('is_superuser') = 'on',
            pg_has_role(current_user, 'pg_monitor', 'member'), pg_has_role(current_user, 'pg_signal_backend', 'member'),
            has_function_privilege('pg_hba_file_rules()', 'execute') and has_table_privilege('pg_hba_file_rules', 'select'),
            (select setting from pg_settings where name = 'hba_file'),
            (select setting::int from pg_settings where name = 'client_connection_check_interval'),
            current_setting('wal_log_hints') = 'on' or current_setting('data_checksums') = 'on',
            has_function_privilege('pg_promote(boolean,integer)', 'execute'), current_setting('server_version_num')::int >= 150000,
            (select setting::int from pg_settings where name = 'wal_retrieve_retry_interval')
        """;

    /// <summary>From PostgreSQL 15 on these rights of a superuser can be given to others.</summary>
    private const string SinceFifteen = """
        select has_parameter_privilege('primary_conninfo', 'alter system'), pg_has_role(current_user, 'pg_checkpoint', 'member') or current_setting('is_superuser') = 'on',
            has_parameter_privilege('synchronous_standby_names', 'alter system')
        """;

    private const string History = """
        select to_regclass('harepd.history') is not null and has_table_privilege('harepd.history', 'select')
            and has_table_privilege('harepd.history', 'insert') and has_table_privilege('harepd.history', 'delete')
        """;

    private const string HbaErrors =
        "select line_number, error from pg_hba_file_rules where error is not null and error not like '% record cannot match because %' order by 1 limit 3";

    public required string Version { get; init; }

    public required bool InRecovery { get; init; }

    public required bool IsSuperuser { get; init; }

    /// <summary>May read every view of the watch.</summary>
    public required bool MayMonitor { get; init; }

    /// <summary>May end the sessions of ordinary users.</summary>
    public required bool MaySignal { get; init; }

    /// <summary>May check pg_hba.conf before it is loaded.</summary>
    public required bool MayCheckHba { get; init; }

    /// <summary>The file that the server reads; null where the user may not know.</summary>
    public required string? HbaFile { get; init; }

    /// <summary>Whether the server looks for vanished clients while a statement runs; null before PostgreSQL 14.</summary>
    public required bool? ChecksClients { get; init; }

    /// <summary>How long a standby sleeps after its stream failed (<c>wal_retrieve_retry_interval</c>).</summary>
    public required TimeSpan RetryInterval { get; init; }

    /// <summary>Whether pg_rewind could work on this server's data.</summary>
    public required bool CanBeRewound { get; init; }

    /// <summary>May promote a standby.</summary>
    public required bool MayPromote { get; init; }

    /// <summary>May set <c>primary_conninfo</c>.</summary>
    public required bool MayFollow { get; init; }

    public required bool MayCheckpoint { get; init; }

    /// <summary>May set <c>synchronous_standby_names</c>.</summary>
    public required bool MaySynchronize { get; init; }

    /// <summary>The table of the history is there, and may be written.</summary>
    public required bool KeepsHistory { get; init; }

    /// <summary>What PostgreSQL would not load in pg_hba.conf as it is on disk, one sentence a line; at most three.</summary>
    public required IReadOnlyList<string> HbaProblems { get; init; }

    /// <summary>Connects and looks, on the calling thread; null with the fault.</summary>
    public static ServerInspection? TryLook(PostgresSettings settings, Instant deadline, out PgFault? fault)
    {
        using var session = PgSession.TryOpen(settings.Endpoint("check"), deadline, out fault);
        if (session is null)
        {
            return null;
        }

        var reply = session.Query(Sql, deadline);
        fault = reply.Fault;
        if (fault is not null || reply.Rows is not [[{ } version, var recovery, var super, var monitor, var signal, var hba, var file, var checks, var rewind, var promote, var isFifteen, var retry]])
        {
            fault ??= new PgFault(PgFaultKind.Protocol, "", "the server's answer about itself makes no sense");
            return null;
        }

        var problems = hba == "t" ? session.Query(HbaErrors, deadline).Rows : [];
        var ofSuperusers = isFifteen == "t" && session.Query(SinceFifteen, deadline).Rows is [[var conninfo, var checkpoint, var names]]
            ? (conninfo == "t", checkpoint == "t", names == "t")
            : (super == "t", super == "t", super == "t");
        return new ServerInspection
        {
            Version = version,
            InRecovery = recovery == "t",
            IsSuperuser = super == "t",
            MayMonitor = monitor == "t",
            MaySignal = signal == "t",
            MayCheckHba = hba == "t",
            HbaFile = file,
            ChecksClients = checks is null ? null : int.TryParse(checks, NumberStyles.None, CultureInfo.InvariantCulture, out var interval) && interval > 0,
            RetryInterval = TimeSpan.FromMilliseconds(int.TryParse(retry, NumberStyles.None, CultureInfo.InvariantCulture, out var millis) ? millis : 0),
            CanBeRewound = rewind == "t",
            MayPromote = promote == "t",
            MayFollow = ofSuperusers.Item1,
            MayCheckpoint = ofSuperusers.Item2,
            MaySynchronize = ofSuperusers.Item3,
            KeepsHistory = session.Query(History, deadline).Value == "t",
            HbaProblems = [.. problems.Select(row => $"line {row[0]}: {row[1]}")],
        };
    }
}
