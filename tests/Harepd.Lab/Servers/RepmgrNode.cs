using Harepd.Lab.Machine;

namespace Harepd.Lab.Servers;

/// <summary>One node under repmgr: its PostgreSQL, its repmgr.conf, its repmgrd, and the repmgr commands run there. No SSH.</summary>
public sealed class RepmgrNode
{
    private readonly LabFolder lab;
    private Proc? daemon;
    private int commands;

    public RepmgrNode(LabFolder lab, int id, string address, RepmgrOptions options)
    {
        this.lab = lab;
        Id = id;
        Server = new PostgresServer(lab, $"node_{id}", address, options.Postgres);
        ConfigFile = lab.WriteFile(Path.Combine(Name, "repmgr.conf"), ConfigText(options));
    }

    /// <summary>repmgr's node_id.</summary>
    public int Id { get; }

    public string Name => Server.Name;

    public PostgresServer Server { get; }

    public string ConfigFile { get; }

    // Without tcp_user_timeout a repmgrd that waits for an answer when the network is cut waits for a quarter of an hour.
    public string ConnInfo => $"host={Server.Address} port={Server.Port} user=repmgr dbname=repmgr connect_timeout=2 tcp_user_timeout=2000";

    /// <summary>Runs a repmgr command on this node's configuration; the answer tells whether it went well.</summary>
    public Task<CommandResult> RepmgrAsync(params string[] arguments) =>
        Proc.RunAsync(lab, Spec(arguments), TimeSpan.FromSeconds(90));

    /// <summary>Runs a repmgr command that must succeed.</summary>
    public Task<string> MustRepmgrAsync(params string[] arguments) =>
        Proc.MustRunAsync(lab, Spec(arguments), TimeSpan.FromSeconds(90));

    /// <summary>
    /// Starts repmgrd, which promotes this standby or follows another when the primary is gone, and waits until it watches its upstream: one that
    /// loses the upstream before that ends.
    /// </summary>
    public async Task StartDaemonAsync()
    {
        if (daemon is { IsAlive: true })
        {
            return;
        }

        daemon = Proc.Start(lab, new ProcSpec(
            Name + ".repmgrd",
            Path.Combine(PostgresServer.BinDirectory, "repmgrd"),
            "-f", ConfigFile, "--daemonize=false", "--pid-file", Path.Combine(lab.Root, Name, "repmgrd.pid")) { Machine = Name });
        await Wait.UntilAsync(
            () => DaemonLog.Contains("monitoring connection to upstream node", StringComparison.Ordinal),
            $"repmgrd of {Name} to watch its upstream",
            detail: () => DaemonLog);
    }

    /// <summary>Ends repmgrd; nothing to do when it does not run.</summary>
    public async Task StopDaemonAsync()
    {
        if (daemon is not null)
        {
            await daemon.StopAsync(Signal.Terminate, TimeSpan.FromSeconds(5));
            await daemon.DisposeAsync();
            daemon = null;
        }
    }

    public string DaemonLog => daemon?.Output ?? "";

    private ProcSpec Spec(string[] arguments) => new(
        $"{Name}.repmgr-{Interlocked.Increment(ref commands)}",
        Path.Combine(PostgresServer.BinDirectory, "repmgr"),
        ["-f", ConfigFile, .. arguments]) { Machine = Name };

    private string ConfigText(RepmgrOptions options) => $"""
        node_id={Id}
        node_name='{Name}'
        conninfo='{ConnInfo}'
        data_directory='{Server.DataDirectory}'
        pg_bindir='{PostgresServer.BinDirectory}'
        replication_user='repmgr'
        use_replication_slots=no
        log_level=INFO
        failover=automatic
        monitor_interval_secs={options.MonitorIntervalSeconds}
        reconnect_attempts={options.ReconnectAttempts}
        reconnect_interval={options.ReconnectIntervalSeconds}
        promote_check_interval=1
        promote_command='{PostgresServer.BinDirectory}/repmgr -f {lab.Root}/{Name}/repmgr.conf standby promote'
        follow_command='{PostgresServer.BinDirectory}/repmgr -f {lab.Root}/{Name}/repmgr.conf standby follow --upstream-node-id=%n'
        service_start_command='{Server.StartScript}'
        service_stop_command='{PostgresServer.BinDirectory}/pg_ctl -D {Server.DataDirectory} -w -m fast stop'
        service_restart_command='{PostgresServer.BinDirectory}/pg_ctl -D {Server.DataDirectory} -w -m fast restart'
        service_reload_command='{PostgresServer.BinDirectory}/pg_ctl -D {Server.DataDirectory} reload'

        """;
}
