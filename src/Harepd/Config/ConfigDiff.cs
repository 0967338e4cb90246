using System.Collections.Immutable;

namespace Harepd.Config;

/// <summary>One key whose value changed.</summary>
/// <param name="Path">Key path below <c>harepd:</c>.</param>
/// <param name="RestartReason">Null when it was reloaded; otherwise why it needs a restart.</param>
internal sealed record ConfigChange(string Path, string Old, string New, string? RestartReason);

/// <summary>What SIGHUP changes: which keys take effect at once, and which wait for a restart.</summary>
/// <param name="Reloaded">In the order of conf/harepd.yml.</param>
/// <param name="NeedRestart">Likewise; each with its reason.</param>
/// <param name="Effective">The new configuration with the old values of all that need a restart: what the daemon goes on with.</param>
internal sealed record ConfigDiff(ImmutableArray<ConfigChange> Reloaded, ImmutableArray<ConfigChange> NeedRestart, HarepdConfig Effective)
{
    /// <summary>Compares two configurations of one node.</summary>
    public static ConfigDiff Between(HarepdConfig current, HarepdConfig read)
    {
        var changes = ConfigKeys.All
            .Select(key => new ConfigChange(key.Path, key.Text(current), key.Text(read), key.RestartReason))
            .Where(change => change.Old != change.New)
            .ToImmutableArray();
        return new ConfigDiff(
            [.. changes.Where(change => change.RestartReason is null)],
            [.. changes.Where(change => change.RestartReason is not null)],
            Merge(current, read));
    }

    // The reloadable keys of ConfigKeys, and no others; a test holds the two together.
    private static HarepdConfig Merge(HarepdConfig current, HarepdConfig read) => current with
    {
        AllowRo = read.AllowRo,
        WatchDog = read.WatchDog,
        Haproxy = MergeServerName(current, read),
        Pgbouncer = read.Pgbouncer,
        AuthModes = read.AuthModes,
        Postgres = current.Postgres is { } old && read.Postgres is { } next ? Merge(old, next) : current.Postgres,
        Grpc = current.Grpc with { ConnectionDeadline = read.Grpc.ConnectionDeadline },
        Fence = read.Fence with { WatchdogDevice = current.Fence.WatchdogDevice },
        Reads = read.Reads,
        History = read.History,
        Hooks = read.Hooks,
        Failover = read.Failover with { Manager = current.Failover.Manager },
        Logs = current.Logs with { MaxAge = read.Logs.MaxAge, RotationTime = read.Logs.RotationTime },
    };

    // The server's name follows the node's where it is not given, and the node's name waits for a restart.
    private static HaproxyConfig MergeServerName(HarepdConfig current, HarepdConfig read) =>
        read.Haproxy.ServerName == read.NodeName && read.NodeName != current.NodeName
            ? read.Haproxy with { ServerName = current.Haproxy.ServerName }
            : read.Haproxy;

    private static PostgresConfig Merge(PostgresConfig current, PostgresConfig read) => current with
    {
        PollInterval = read.PollInterval,
        AlarmedPollInterval = read.AlarmedPollInterval,
        HangTimeout = read.HangTimeout,
        WriteProbeInterval = read.WriteProbeInterval,
    };
}
