namespace Harepd.Postgres.Control;

/// <summary>The statements of <see cref="ServerControl"/>. Written for PostgreSQL 12 and later.</summary>
internal static class ControlSql
{
    public const string BeforePromotion = "select pg_is_in_recovery(), (select received_tli from pg_stat_wal_receiver)";

    public const string Promote = "select pg_promote(false)";

    /// <summary>
    /// Wakes a startup process that sleeps although it was told to promote: one that hears of it while its walreceiver is about to start takes the stream for failed,
    /// and first sleeps what is left of wal_retrieve_retry_interval, 5 s by default. A reload wakes it. Source: xlogrecovery.c, WaitForWALToBecomeAvailable.
    /// </summary>
    public const string WakeSleeper = """
        select pg_is_in_recovery(), (select pg_reload_conf() from pg_stat_activity
            where pg_is_in_recovery() and backend_type = 'startup' and wait_event in ('RecoveryRetrieveRetryInterval', 'RecoveryWalStream'))
        """;

    /// <summary>
    /// While the server is in recovery: ends whoever has a snapshot or an open transaction, which is what replay may have to wait for. harepd's own
    /// sessions are over in milliseconds; a superuser's may be ended by another superuser only.
    /// </summary>
    public const string EndConflicts = """
        select pg_is_in_recovery(), (select count(pg_terminate_backend(pid)) from pg_stat_activity
            where pg_is_in_recovery() and backend_type = 'client backend' and application_name not like 'harepd %'
                and (backend_xmin is not null or state like 'idle in transaction%')
                and (current_setting('is_superuser') = 'on' or usesysid not in (select oid from pg_roles where rolsuper)))
        """;

    public const string BeforeFollowing =
        "select pg_is_in_recovery(), current_setting('server_version_num'), current_setting('primary_conninfo'), current_setting('primary_slot_name')";

    public const string BeforeMoving = "select pg_is_in_recovery(), current_setting('primary_conninfo'), current_setting('primary_slot_name')";

    /// <summary>A checkpoint of a large server takes longer than any statement of the watch may.</summary>
    public const string Unhurried = "set statement_timeout = 0";

    public const string Recovery = "select pg_is_in_recovery()";

    public const string Checkpoint = "checkpoint";

    public const string Reload = "select pg_reload_conf()";

    /// <summary>What a server streams by, or did when it was a standby.</summary>
    public const string SlotName = "select current_setting('primary_slot_name')";

    /// <summary>Null where there is none of that name to drop.</summary>
    public static string DropIdleSlot(string name) =>
        $"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = {Literal(name)} and slot_type = 'physical' and not active";

    public static string MakeSlot(string name) =>
        $"select pg_create_physical_replication_slot({Literal(name)}) where not exists (select from pg_replication_slots where slot_name = {Literal(name)})";

    public static string SetSynchronous(string text) => $"alter system set synchronous_standby_names = '{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public static string SetConnInfo(string text) => $"alter system set primary_conninfo = '{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
