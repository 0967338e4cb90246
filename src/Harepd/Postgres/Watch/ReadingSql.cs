using System.Globalization;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Postgres.Watch;

/// <summary>The statements of the watch and how their answers are understood. Written for PostgreSQL 12 and later.</summary>
internal static class ReadingSql
{
    private const long MostMicros = long.MaxValue / 100;

    public const string Recovery = "select pg_is_in_recovery()";

    /// <summary>
    /// Keeps the watch's own statements out of the server's log where the user may (a superuser), and keeps its session from being ended for
    /// being idle; then the facts of the run. A setting that this version does not know is left out by the join.
    /// </summary>
    public const string Facts = """
        select set_config(s.name, s.quiet, false)
        from (values ('log_statement', 'none'), ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'), ('log_duration', 'off'),
            ('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0')) as s(name, quiet)
            join pg_settings p on p.name = s.name
        where p.context = 'user' or current_setting('is_superuser') = 'on';
        select current_setting('server_version_num'), (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint,
            has_function_privilege('pg_control_checkpoint()', 'execute') and has_function_privilege('pg_control_recovery()', 'execute'),
            has_function_privilege('pg_control_system()', 'execute'),
            has_function_privilege('pg_read_file(text,bigint,bigint,boolean)', 'execute'),
            (select source in ('user', 'database', 'database user', 'client', 'session', 'override') from pg_settings where name = 'synchronous_commit'),
            pg_size_bytes(current_setting('wal_segment_size'))
        """;

    public const string SystemIdentifier = "select system_identifier from pg_control_system()";

    /// <summary>The full reading, prepared by <see cref="Prepare"/> in the same session.</summary>
    public const string Full = "execute harepd_reading";

    /// <summary>
    /// One statement, so that all of it speaks of one moment: the recovery state is asked once and every other column obeys it. Prepared, because
    /// planning it costs the server more than running it.
    /// </summary>
    public static string Prepare(bool mayReadControl, bool hasOwnCommit = false) => $"""
        prepare harepd_reading as
        select s.recovers,
            case when not s.recovers then pg_walfile_name(pg_current_wal_lsn()) end,
            case when not s.recovers then pg_current_wal_lsn() end,
            case when s.recovers then pg_last_wal_receive_lsn() end,
            case when s.recovers then pg_last_wal_replay_lsn() end,
            case when s.recovers then (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000000)::bigint end,
            case when s.recovers then (select concat(status, chr(9), received_tli, chr(9), sender_host, chr(9),
                (extract(epoch from clock_timestamp() - last_msg_receipt_time) * 1000000)::bigint) from pg_stat_wal_receiver) end,
            {(mayReadControl
                ? "case when s.recovers then greatest((select timeline_id from pg_control_checkpoint()), (select min_recovery_end_timeline from pg_control_recovery())) end"
                : "null")},
            case when not s.recovers then (select string_agg(concat(application_name, chr(9), host(client_addr), chr(9), state, chr(9), sync_state, chr(9),
                flush_lsn, chr(9), replay_lsn), chr(10)) from pg_stat_replication) end,
            case when not s.recovers then {(hasOwnCommit ? "''" : Synchronous)} end
        from (select pg_is_in_recovery() as recovers offset 0) s
        """;

    /// <summary>
    /// What commits wait for. The checkpointer puts the setting in force for all sessions; where it waits for work it has taken in every reload before
    /// (PostgreSQL's SyncRepUpdateSyncStandbysDefined). Levels below <c>on</c> do not wait for a standby's disk.
    /// </summary>
    private const string Synchronous = """
        (case when current_setting('synchronous_standby_names') = '' or current_setting('synchronous_commit') not in ('on', 'remote_apply') then ''
            else concat((select wait_event in ('CheckpointerMain', 'CheckpointWriteDelay') from pg_stat_activity where backend_type = 'checkpointer'), chr(9),
                current_setting('synchronous_standby_names')) end)
        """;

    public static string HistoryFile(uint timeline) => $"select pg_read_file('{TimelineHistory.NameOf(timeline)}', 0, 1048576, true)";

    /// <summary>The facts from the rows of <see cref="Facts"/>; null when they make no sense.</summary>
    public static ServerFacts? ToFacts(IReadOnlyList<string?[]> rows, SystemId system)
    {
        if (rows is not [[{ } version, var started, var control, _, var files, var commit, var segment]]
            || !int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        _ = uint.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var segmentBytes);
        return new ServerFacts(system, Micros(started) is { } since ? DateTime.UnixEpoch + since : null, number, control == "t", files == "t", commit != "f", segmentBytes);
    }

    /// <summary>
    /// The reading from the row of <see cref="Full"/>, its timeline without the switch point; null when the row makes no sense.
    /// </summary>
    public static Reading? ToReading(string?[] row)
    {
        if (row is not [("t" or "f") and var recovers, var walFile, var write, var receive, var replay, var delay, var receiver, var control, var replicas, var synchronous])
        {
            return null;
        }

        return recovers == "f" ? Primary(walFile, LsnOf(write), replicas, synchronous) : Standby(LsnOf(receive), LsnOf(replay), delay, receiver, control);
    }

    private static Reading Primary(string? walFile, Lsn write, string? replicas, string? synchronous) => new()
    {
        InRecovery = false,
        Timeline = new TimelinePoint(TimelineOf(walFile), default),
        WriteLsn = write,
        ReplayLsn = write,
        ReplayDelay = null,
        Replicas = [.. (replicas ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ReplicaOf).OfType<ReplicaLink>()],
        Synchrony = SynchronyText.Read(synchronous?.Split('\t', 2).ElementAtOrDefault(1)),
        IsSynchronyTaken = synchronous?.StartsWith("t\t", StringComparison.Ordinal) == true,
    };

    private static Reading Standby(Lsn receive, Lsn replay, string? delay, string? receiver, string? control)
    {
        var fields = receiver?.Split('\t') ?? [];
        _ = uint.TryParse(fields.ElementAtOrDefault(1), NumberStyles.None, CultureInfo.InvariantCulture, out var received);
        _ = uint.TryParse(control, NumberStyles.None, CultureInfo.InvariantCulture, out var replayed);
        var waited = Micros(delay) is { } since && since < TimeSpan.Zero ? TimeSpan.Zero : Micros(delay);
        return new Reading
        {
            InRecovery = true,
            Timeline = new TimelinePoint(received > 0 ? received : replayed, default),

            // The receiver's position begins at the start of a segment and is none after a restart; what was replayed was received.
            WriteLsn = receive > replay ? receive : replay,
            ReplayLsn = replay,

            // The receiver is started when all that was on the disk has been replayed.
            HasReceived = receive != default,
            ReplayDelay = receive == default ? null : receive <= replay ? TimeSpan.Zero : waited,
            IsStreaming = fields.ElementAtOrDefault(0) == "streaming",
            UpstreamHost = fields.ElementAtOrDefault(2) ?? "",

            // By the server's wall clock, which may have been set back since.
            UpstreamSilence = Micros(fields.ElementAtOrDefault(3)) is { } silence ? Max(silence, TimeSpan.Zero) : null,
        };
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static ReplicaLink? ReplicaOf(string line) => line.Split('\t') is [var name, var address, var state, var sync, var flush, var replay]
        ? new ReplicaLink(name, address, state, sync, LsnOf(flush), LsnOf(replay))
        : null;

    // The first eight digits of a WAL file's name are its timeline.
    private static uint TimelineOf(string? walFile) =>
        walFile is { Length: 24 } && uint.TryParse(walFile.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var timeline) ? timeline : 0;

    private static Lsn LsnOf(string? text) => Lsn.TryParse(text, out var lsn) ? lsn : default;

    private static TimeSpan? Micros(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var micros) && micros is > -MostMicros and < MostMicros
            ? TimeSpan.FromTicks(micros * TimeSpan.TicksPerMicrosecond)
            : null;
}
