using Harepd.Clock;
using Harepd.Config;
using Harepd.Files;
using Harepd.Postgres;
using Harepd.Runtime;

namespace Harepd.Cli.Check;

/// <summary>Logs in to the local PostgreSQL as the daemon would, and looks at its own rights and at the settings that matter.</summary>
internal static class PostgresDoors
{
    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MostRetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>One answer for the server and one more for each setting that is worth a look; waits on a thread of its own.</summary>
    public static Task<IReadOnlyList<DoorAnswer>> TryAsync(HarepdConfig config) => Task.Run<IReadOnlyList<DoorAnswer>>(() =>
    {
        var settings = PostgresDoor.SettingsOf(config);
        var door = $"PostgreSQL {settings.Host}:{settings.Port}";
        return ServerInspection.TryLook(settings, BootClock.Now + LookTime, out var fault) is { } seen
            ? [Server(door, config, settings, seen), .. Advice(config, seen)]
            : [DoorAnswer.Shut(door, $"user {settings.User}: {fault}")];
    });

    private static DoorAnswer Server(string door, HarepdConfig config, PostgresSettings settings, ServerInspection seen)
    {
        if (seen.HbaFile is { } file && AtomicFile.Resolve(file) != AtomicFile.Resolve(settings.HbaPath))
        {
            return DoorAnswer.Shut(door, $"the server reads {file}, but hbaConfig is {settings.HbaPath}: write   hbaConfig: \"{file}\"");
        }

        if (!seen.MayCheckHba)
        {
            return DoorAnswer.Shut(door, $"grant select on pg_hba_file_rules, and execute on function pg_hba_file_rules(), to {settings.User} (harepd init-sql writes all it needs)");
        }

        if (!seen.IsSuperuser && !(seen.MayMonitor && seen.MaySignal))
        {
            return DoorAnswer.Shut(door, $"grant pg_monitor, pg_signal_backend to {settings.User}");
        }

        if (config.Failover.Manager == FailoverManager.Harepd && !seen.MayPromote)
        {
            return DoorAnswer.Shut(door, $"grant execute on function pg_promote(boolean, integer) to {settings.User}, or failover.manager: harepd cannot promote");
        }

        return seen.HbaProblems.Count > 0
            ? DoorAnswer.Shut(door, $"PostgreSQL would not load pg_hba.conf, and then no gate can be opened: {string.Join("; ", seen.HbaProblems)}")
            : DoorAnswer.Open(door, $"PostgreSQL {seen.Version}, {(seen.InRecovery ? "standby" : "primary")}, user {settings.User} has the rights");
    }

    private static IEnumerable<DoorAnswer> Advice(HarepdConfig config, ServerInspection seen)
    {
        if (seen.ChecksClients == false)
        {
            const string why = "0: a statement that runs when its client is cut off goes on and commits; set it to 1s";
            yield return DoorAnswer.Noted("client_connection_check_interval", why);
        }

        if (seen.RetryInterval > MostRetryInterval)
        {
            var why = $"{seen.RetryInterval.TotalSeconds:0.#}s: a standby that lost its upstream asks anew only then, and a promotion that is not harepd's can sleep as long; set it to 200ms";
            yield return DoorAnswer.Noted("wal_retrieve_retry_interval", why);
        }

        if (config.Failover.Manager == FailoverManager.Harepd && !(seen.MayFollow && seen.MayCheckpoint))
        {
            var what = (seen.MayFollow, seen.MayCheckpoint) switch { (false, false) => "set primary_conninfo, nor make a checkpoint", (false, _) => "set primary_conninfo", _ => "make a checkpoint" };
            const string mend = "harepd init-sql writes the grants (PostgreSQL 15 and later)";
            yield return DoorAnswer.Noted("rights of postgres.user", $"it may not {what}: no planned move, and no following of a new primary; {mend}");
        }

        if (config.Failover.Synchronous == SynchronousMode.Managed && !seen.MaySynchronize)
        {
            yield return DoorAnswer.Noted("synchronous_standby_names", "postgres.user may not set it, and failover.synchronous is managed; harepd init-sql writes the grant (PostgreSQL 15 and later)");
        }

        if (config.History.Table && !seen.KeepsHistory && !seen.IsSuperuser)
        {
            yield return DoorAnswer.Noted("harepd.history", "it is not there or may not be written, and history.table is on; harepd init-sql writes what it needs");
        }

        if (!seen.CanBeRewound && config.Failover.Manager != FailoverManager.None)
        {
            const string why = "off, and no data checksums: pg_rewind cannot bring an old primary back, it must be cloned anew";
            yield return DoorAnswer.Noted("wal_log_hints", why);
        }
    }
}
