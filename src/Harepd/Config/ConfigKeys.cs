using System.Collections.Immutable;
using System.Globalization;

namespace Harepd.Config;

/// <summary>One key of the configuration: where it stands, what it holds, and whether SIGHUP may change it.</summary>
/// <param name="Path">Key path below <c>harepd:</c>.</param>
/// <param name="Text">The value as the file would write it; empty for none.</param>
/// <param name="RestartReason">Null when the key can be reloaded; otherwise why it cannot.</param>
internal sealed record ConfigKey(string Path, Func<HarepdConfig, string> Text, string? RestartReason);

/// <summary>Every key there is, in the order of conf/harepd.yml. A test compares the two.</summary>
internal static class ConfigKeys
{
    private const string Identity = "it is this node's identity";
    private const string Quorum = "the voting set changes by restart, one node at a time (OPERATIONS, \"changing members\")";
    private const string Clocked = "voters and the holder count on it until every lease has run out";
    private const string Listener = "listeners open at start";
    private const string Session = "the session to PostgreSQL is opened at start";
    private const string Folder = "the files are locked at start";
    private const string Promoter = "a promotion under way must not change hands";
    private const string Device = "the guard takes it when it starts";
    private const string LogFile = "the log is opened at start";

    public static readonly ImmutableArray<ConfigKey> All =
    [
        new("cluster", c => c.Cluster, Identity),
        new("nodeName", c => c.NodeName, Identity),
        new("primaryIP", c => c.PrimaryIp?.ToString() ?? "", Identity),
        new("allowRO", c => Text(c.AllowRo), null),
        new("hbaConfig", c => c.HbaConfig ?? "", Folder),
        new("watchDog", c => Seconds(c.WatchDog), null),
        new("haproxy.server", c => List(c.Haproxy.Server), null),
        new("haproxy.users.readOnly", c => c.Haproxy.Users.ReadOnly ?? "", null),
        new("haproxy.users.readWrite", c => c.Haproxy.Users.ReadWrite ?? "", null),
        new("haproxy.endpoints", c => List(c.Haproxy.Endpoints), null),
        new("haproxy.writeBackend", c => c.Haproxy.WriteBackend, null),
        new("haproxy.readBackend", c => c.Haproxy.ReadBackend ?? "", null),
        new("haproxy.serverName", c => c.Haproxy.ServerName, null),
        new("haproxy.timeout", c => Units.Text(c.Haproxy.Timeout), null),
        new("haproxy.reconcile", c => Units.Text(c.Haproxy.Reconcile), null),
        new("pgbouncer.endpoints", c => List(c.Pgbouncer.Endpoints), null),
        new("pgbouncer.user", c => c.Pgbouncer.User, null),
        new("pgbouncer.passFile", c => c.Pgbouncer.PassFile ?? "", null),
        new("pgbouncer.databases", c => List(c.Pgbouncer.Databases), null),
        new("pgbouncer.includeFile", c => c.Pgbouncer.IncludeFile ?? "", null),
        new("pgbouncer.timeout", c => Units.Text(c.Pgbouncer.Timeout), null),
        new("pgbouncer.reconcile", c => Units.Text(c.Pgbouncer.Reconcile), null),
        new("authModes.allow", c => c.AuthModes.Allow, null),
        new("authModes.deny", c => c.AuthModes.Deny, null),
        new("repmgr.user", c => c.Repmgr?.User ?? "", Session),
        new("repmgr.db", c => c.Repmgr?.Db ?? "", Session),
        new("postgres.socketDir", c => c.Postgres?.SocketDir ?? "", Session),
        new("postgres.port", c => Number(c.Postgres?.Port), Session),
        new("postgres.user", c => c.Postgres?.User ?? "", Session),
        new("postgres.database", c => c.Postgres?.Database ?? "", Session),
        new("postgres.dataDirectory", c => c.Postgres?.DataDirectory ?? "", Session),
        new("postgres.binDirectory", c => c.Postgres?.BinDirectory ?? "", Session),
        new("postgres.startCommand", c => c.Postgres?.StartCommand ?? "", Session),
        new("postgres.replicationUser", c => c.Postgres?.ReplicationUser ?? "", Session),
        new("postgres.pollInterval", c => Duration(c.Postgres?.PollInterval), null),
        new("postgres.alarmedPollInterval", c => Duration(c.Postgres?.AlarmedPollInterval), null),
        new("postgres.hangTimeout", c => Duration(c.Postgres?.HangTimeout), null),
        new("postgres.writeProbeInterval", c => Duration(c.Postgres?.WriteProbeInterval), null),
        new("gRPC.bindAddress", c => c.Grpc.BindAddress.ToString(), Listener),
        new("gRPC.bindPort", c => Number(c.Grpc.BindPort), Listener),
        new("gRPC.advertise", c => c.Grpc.Advertise.ToString(), Identity),
        new("gRPC.neighbours", c => List(c.Grpc.Neighbours), Quorum),
        new("gRPC.witness", c => c.Grpc.Witness?.ToString() ?? "", Quorum),
        new("gRPC.connectionDeadline", c => Seconds(c.Grpc.ConnectionDeadline), null),
        new("gRPC.serverHostOverride", c => c.Grpc.ServerHostOverride ?? "", Listener),
        new("gRPC.tls.enabled", c => Text(c.Grpc.Tls.Enabled), Listener),
        new("gRPC.tls.ca", c => c.Grpc.Tls.Ca ?? "", Listener),
        new("gRPC.tls.cert", c => c.Grpc.Tls.Cert ?? "", Listener),
        new("gRPC.tls.key", c => c.Grpc.Tls.Key ?? "", Listener),
        new("gRPC.tls.clientAuth", c => Word(c.Grpc.Tls.ClientAuth), Listener),
        new("membership.epoch", c => Number(c.Membership.Epoch), Quorum),
        new("membership.previous", c => List(c.Membership.Previous), Quorum),
        new("lease.profile", c => Word(c.Lease.Profile), Clocked),
        new("lease.duration", c => Units.Text(c.Lease.Duration), Clocked),
        new("lease.renewInterval", c => Units.Text(c.Lease.RenewInterval), Clocked),
        new("lease.fenceBudget", c => Units.Text(c.Lease.FenceBudget), Clocked),
        new("lease.maxDuration", c => Units.Text(c.Lease.MaxDuration), Clocked),
        new("lease.driftPpm", c => Number(c.Lease.DriftPpm), Clocked),
        new("fence.scope", c => Word(c.Fence.Scope), null),
        new("fence.exceptions", c => List(c.Fence.Exceptions), null),
        new("fence.stopPostmaster", c => Text(c.Fence.StopPostmaster), null),
        new("fence.requireGuard", c => Text(c.Fence.RequireGuard), null),
        new("fence.watchdogDevice", c => c.Fence.WatchdogDevice ?? "", Device),
        new("http.bindAddress", c => c.Http.BindAddress.ToString(), Listener),
        new("http.bindPort", c => Number(c.Http.BindPort), Listener),
        new("http.agentPort", c => Number(c.Http.AgentPort), Listener),
        new("http.tls", c => Word(c.Http.Tls), Listener),
        new("reads.maxLagBytes", c => Units.SizeText(c.Reads.MaxLagBytes), null),
        new("reads.maxLagTime", c => Units.Text(c.Reads.MaxLagTime), null),
        new("reads.settle", c => Units.Text(c.Reads.Settle), null),
        new("reads.primary", c => Word(c.Reads.Primary), null),
        new("failover.manager", c => Word(c.Failover.Manager), Promoter),
        new("failover.noFailover", c => Text(c.Failover.NoFailover), null),
        new("failover.priority", c => Number(c.Failover.Priority), null),
        new("failover.maxLagBytes", c => Units.SizeText(c.Failover.MaxLagBytes), null),
        new("failover.onPossibleLoss", c => Word(c.Failover.OnPossibleLoss), null),
        new("failover.onCrash", c => Word(c.Failover.OnCrash), null),
        new("failover.startCrashed", c => Text(c.Failover.StartCrashed), null),
        new("failover.stopGrace", c => Units.Text(c.Failover.StopGrace), null),
        new("failover.rejoin", c => Word(c.Failover.Rejoin), null),
        new("failover.promoteTimeout", c => Units.Text(c.Failover.PromoteTimeout), null),
        new("failover.minInterval", c => Units.Text(c.Failover.MinInterval), null),
        new("failover.maxInterval", c => Units.Text(c.Failover.MaxInterval), null),
        new("failover.synchronousOnly", c => Text(c.Failover.SynchronousOnly), null),
        new("failover.synchronous", c => Word(c.Failover.Synchronous), null),
        new("failover.synchronousCount", c => Number(c.Failover.SynchronousCount), null),
        new("failover.synchronousDegradeAfter", c => Units.Text(c.Failover.SynchronousDegradeAfter), null),
        new("failover.synchronousStrict", c => Text(c.Failover.SynchronousStrict), null),
        new("history.table", c => Text(c.History.Table), null),
        new("history.rows", c => Number(c.History.Rows), null),
        new("hooks.timeout", c => Units.Text(c.Hooks.Timeout), null),
        new("hooks.roleChange", c => c.Hooks.RoleChange ?? "", null),
        new("hooks.gate", c => c.Hooks.Gate ?? "", null),
        new("hooks.beforeFailover", c => c.Hooks.BeforeFailover ?? "", null),
        new("hooks.afterFailover", c => c.Hooks.AfterFailover ?? "", null),
        new("hooks.beforeSwitchover", c => c.Hooks.BeforeSwitchover ?? "", null),
        new("hooks.afterSwitchover", c => c.Hooks.AfterSwitchover ?? "", null),
        new("logs.filePath", c => c.Logs.FilePath ?? "", LogFile),
        new("logs.maxAge", c => Seconds(c.Logs.MaxAge), null),
        new("logs.rotationTime", c => Seconds(c.Logs.RotationTime), null),
        new("stateDir", c => c.StateDir, Folder),
        new("runDir", c => c.RunDir, Folder),
    ];

    private static string Text(bool value) => value ? "true" : "false";

    private static string Number(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Seconds(TimeSpan value) => ((long)value.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static string Duration(TimeSpan? value) => value is { } span ? Units.Text(span) : "";

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string List<T>(ImmutableArray<T> values) => string.Join(", ", values);
}
