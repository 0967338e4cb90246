using System.Text;

namespace Harepd.Postgres;

/// <summary>What decides which rights the daemon's users need.</summary>
internal sealed record RightsQuestion
{
    public required string User { get; init; }

    public required string Database { get; init; }

    /// <summary>harepd promotes, moves and rejoins.</summary>
    public required bool Promotes { get; init; }

    /// <summary>harepd sets what the primary waits for (failover.synchronous: managed).</summary>
    public bool Synchronizes { get; init; }

    /// <summary>As whom a standby streams, and where it logs in to ask the primary for something.</summary>
    public required string ReplicationUser { get; init; }

    public required string ReplicationDatabase { get; init; }

    /// <summary>Whose tables say who repmgr's nodes are; null without repmgr.</summary>
    public string? RepmgrUser { get; init; }

    public string RepmgrDatabase { get; init; } = "";

    /// <summary>The statements that make the history's table; null without it.</summary>
    public string? HistoryTable { get; init; }
}

/// <summary>
/// A psql script that gives the daemon's users the least that their work needs, each grant with what it is for. It may be run again and again, on PostgreSQL 12 and later;
/// what a version does not have is left out there and said.
/// </summary>
internal static class RightsSql
{
    private const string IsFifteen = "current_setting('server_version_num')::int >= 150000";

    /// <summary>The script; to be run by a superuser on the primary.</summary>
    public static string Write(RightsQuestion wanted)
    {
        var sql = new StringBuilder();
        sql.Append("-- The least rights that harepd needs with this configuration. Run it as a superuser on the primary: psql -X -f THIS. It may be run again.\n");
        sql.Append("\\set ON_ERROR_STOP on\n");
        Connect(sql, wanted.Database);
        Role(sql, wanted.User, "harepd's own user (postgres.user). It logs in by the unix socket: pg_hba.conf and pg_ident.conf must let the daemon's system user in as it.");
        Watch(sql, wanted);
        if (wanted.Promotes)
        {
            Promote(sql, wanted);
        }

        if (wanted.HistoryTable is { } table)
        {
            History(sql, wanted, table);
        }

        if (wanted.Promotes)
        {
            Replicate(sql, wanted);
        }

        Repmgr(sql, wanted);
        return sql.ToString();
    }

    private static void Watch(StringBuilder sql, RightsQuestion wanted)
    {
        var user = Name(wanted.User);
        sql.Append($"""

            -- Watching the server, and the gate. Always needed.
            grant pg_monitor to {user};                                        -- positions, replication, sessions, settings
            grant pg_signal_backend to {user};                                 -- a fence ends the sessions of ordinary users
            grant select on pg_catalog.pg_hba_file_rules to {user};            -- pg_hba.conf is checked by the server before it is loaded
            grant execute on function pg_catalog.pg_hba_file_rules() to {user};
            grant select on pg_catalog.pg_file_settings to {user};             -- why a reload was not taken
            grant execute on function pg_catalog.pg_show_all_file_settings() to {user};
            grant execute on function pg_catalog.pg_reload_conf() to {user};   -- the gate, and whom a standby follows
            grant execute on function pg_catalog.pg_control_checkpoint() to {user};
            grant execute on function pg_catalog.pg_control_recovery() to {user};
            grant execute on function pg_catalog.pg_control_system() to {user};

            """);
    }

    private static void Promote(StringBuilder sql, RightsQuestion wanted)
    {
        var user = Name(wanted.User);
        sql.Append($"""

            -- failover.manager: harepd. Failover, harepd switchover, following a new primary.
            grant execute on function pg_catalog.pg_promote(boolean, integer) to {user};

            """);
        If(
            sql,
            IsFifteen,
            "before PostgreSQL 15 only a superuser may set primary_conninfo and make a checkpoint: standbys are not told to follow a new primary, and no planned move is possible",
            $"grant alter system on parameter primary_conninfo to {user}",
            $"grant pg_checkpoint to {user}");
        if (wanted.Synchronizes)
        {
            sql.Append("\n-- failover.synchronous: managed.\n");
            If(
                sql,
                IsFifteen,
                "before PostgreSQL 15 only a superuser may set synchronous_standby_names",
                $"grant alter system on parameter synchronous_standby_names to {user}");
        }
    }

    private static void History(StringBuilder sql, RightsQuestion wanted, string table)
    {
        var user = Name(wanted.User);
        sql.Append($"""

            -- history.table: true.
            {table}
            grant usage on schema harepd to {user};
            grant select, insert, delete on harepd.history to {user};

            """);
    }

    /// <summary>In the database that the replication user logs in to: rights on functions are kept by each database for itself.</summary>
    private static void Replicate(StringBuilder sql, RightsQuestion wanted)
    {
        Connect(sql, wanted.ReplicationDatabase);
        var user = Name(wanted.ReplicationUser);
        if (wanted.ReplicationUser != wanted.User && wanted.ReplicationUser != wanted.RepmgrUser)
        {
            Role(sql, wanted.ReplicationUser, "As whom standbys stream (postgres.replicationUser). pg_hba.conf must let it in from the other nodes, for replication and to this database.");
        }

        sql.Append("\n-- failover.manager: harepd. A standby streams and has its slot made as this user, and an old primary is rewound (harepd rejoin, failover.rejoin: auto).\n");
        If(
            sql,
            $"exists (select from pg_catalog.pg_roles where rolname = {Text(wanted.ReplicationUser)})",
            $"there is no role {wanted.ReplicationUser} yet, repmgr makes it: run this again when it is there",
            $"alter role {user} replication",
            $"grant execute on function pg_catalog.pg_ls_dir(text, boolean, boolean) to {user}",
            $"grant execute on function pg_catalog.pg_stat_file(text, boolean) to {user}",
            $"grant execute on function pg_catalog.pg_read_binary_file(text) to {user}",
            $"grant execute on function pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) to {user}",
            $"grant execute on function pg_catalog.pg_control_checkpoint() to {user}");
        If(
            sql,
            $"{IsFifteen} and exists (select from pg_catalog.pg_roles where rolname = {Text(wanted.ReplicationUser)})",
            $"{wanted.ReplicationUser} may not make a checkpoint (before PostgreSQL 15 only a superuser may): a rejoin waits for the new primary's first one",
            $"grant pg_checkpoint to {user}");
    }

    private static void Repmgr(StringBuilder sql, RightsQuestion wanted)
    {
        if (wanted.RepmgrUser is not { } name)
        {
            return;
        }

        Connect(sql, wanted.RepmgrDatabase);
        sql.Append($"\n-- repmgr's tables are read{(wanted.Promotes ? ", and told who the primary is," : "")} as {name} (repmgr.user), their owner as a rule.\n");
        If(
            sql,
            $"to_regclass('repmgr.nodes') is not null and exists (select from pg_catalog.pg_roles where rolname = {Text(name)})",
            "repmgr has made no tables here yet: run this again when it has",
            $"grant usage on schema repmgr to {Name(name)}",
            $"grant {(wanted.Promotes ? "select, update" : "select")} on repmgr.nodes to {Name(name)}");
    }

    private static void Connect(StringBuilder sql, string database) => sql.Append($"\n\\connect {Name(database)}\n");

    private static void Role(StringBuilder sql, string role, string comment)
    {
        sql.Append($"\n-- {comment}\n");
        If(sql, $"not exists (select from pg_catalog.pg_roles where rolname = {Text(role)})", "", $"create role {Name(role)} login");
    }

    /// <summary>Statements that are run where a condition holds, and what is said where it does not.</summary>
    private static void If(StringBuilder sql, string condition, string otherwise, params string[] statements)
    {
        sql.Append($"do $harepd$ begin\n    if {condition} then\n");
        foreach (var statement in statements)
        {
            sql.Append($"        execute {Text(statement)};\n");
        }

        if (otherwise.Length > 0)
        {
            sql.Append($"    else\n        raise notice {Text(otherwise.Replace("%", "%%", StringComparison.Ordinal))};\n");
        }

        sql.Append("    end if;\nend $harepd$;\n");
    }

    private static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    // No name ends the quotes around a whole block.
    private static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal).Replace("$harepd$", "$harepd $", StringComparison.Ordinal)}'";
}
