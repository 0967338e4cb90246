using Harepd.Lab.Machine;

namespace Harepd.Lab.Servers;

/// <summary>
/// A primary (node_1), a standby (node_2) and a witness (node_3) under repmgr, made the way an operator makes them, each on an address
/// of its own. The database <c>app</c> with the table <c>lab_writes</c> is there for writers.
/// </summary>
public sealed class RepmgrCluster
{
    public const string AppDatabase = "app";
    public const string AppUser = "app";

    private readonly RepmgrOptions options;

    private RepmgrCluster(LabFolder lab, RepmgrOptions options)
    {
        this.options = options;
        Node1 = new RepmgrNode(lab, 1, lab.AddressOf(1), options);
        Node2 = new RepmgrNode(lab, 2, lab.AddressOf(2), options);
        Witness = new RepmgrNode(lab, 3, lab.AddressOf(3), options);
    }

    /// <summary>The first primary.</summary>
    public RepmgrNode Node1 { get; }

    public RepmgrNode Node2 { get; }

    /// <summary>The third node; with <see cref="RepmgrOptions.ThreeDataNodes"/> a second standby.</summary>
    public RepmgrNode Witness { get; }

    /// <summary>The third node holds no data.</summary>
    public bool HasWitness => !options.ThreeDataNodes;

    public IReadOnlyList<RepmgrNode> DataNodes => HasWitness ? [Node1, Node2] : [Node1, Node2, Witness];

    /// <summary>Makes and starts the cluster; repmgrd is not started. Progress is told one step at a time.</summary>
    public static async Task<RepmgrCluster> CreateAsync(LabFolder lab, RepmgrOptions? options = null, Action<string>? progress = null)
    {
        var cluster = new RepmgrCluster(lab, options ?? new RepmgrOptions());
        var tell = progress ?? (_ => { });
        var hasServer = cluster.HasWitness && cluster.options.Witness;
        var witness = hasServer ? MakeServerAsync(cluster.Witness) : Task.CompletedTask;
        tell("primary: initdb, start, repmgr primary register");
        await MakeServerAsync(cluster.Node1);
        await MakeAppAsync(cluster.Node1.Server);
        await cluster.Node1.MustRepmgrAsync("primary", "register");
        tell("standby: repmgr standby clone, start, register");
        await cluster.MakeStandbyAsync(cluster.Node2, cluster.Node1);
        if (!cluster.HasWitness)
        {
            tell("second standby: repmgr standby clone, start, register");
            await cluster.MakeStandbyAsync(cluster.Witness, cluster.Node1);
            return cluster;
        }

        tell("witness: initdb, start, repmgr witness register");
        await witness;
        if (hasServer)
        {
            await cluster.Witness.MustRepmgrAsync("-h", cluster.Node1.Server.Address, "-U", "repmgr", "-d", "repmgr", "witness", "register");
        }

        return cluster;
    }

    /// <summary>Clones a standby from a running primary, starts and registers it. What stood in its data directory is overwritten.</summary>
    public async Task MakeStandbyAsync(RepmgrNode standby, RepmgrNode primary)
    {
        await standby.MustRepmgrAsync(
            "-h", primary.Server.Address, "-p", $"{primary.Server.Port}", "-U", "repmgr", "-d", "repmgr", "standby", "clone", "--fast-checkpoint", "-F");
        await standby.Server.StartAsync();
        // A clone of an open primary is fenced by a daemon that runs there, and a fence ends logins under way, repmgr's too: ask once more.
        if (!(await standby.RepmgrAsync("standby", "register", "-F")).Succeeded)
        {
            await standby.MustRepmgrAsync("standby", "register", "-F");
        }

        await WaitForStreamingAsync(standby.Server);
    }

    /// <summary>Runs <c>repmgr standby promote</c> on a standby whose primary is gone.</summary>
    public static Task<CommandResult> PromoteAsync(RepmgrNode standby) => standby.RepmgrAsync("standby", "promote");

    /// <summary>
    /// Runs <c>repmgr node rejoin</c> for a stopped old primary and waits until it streams; with pg_rewind when it cannot attach without.
    /// </summary>
    public static async Task RejoinAsync(RepmgrNode old, RepmgrNode primary)
    {
        await old.Server.WaitForEndAsync();
        await WaitForRegisteredAsync(primary);
        // Before its first checkpoint on the new timeline a promoted server's pg_control still names the old one, and a pg_rewind from it
        // makes a data directory that does not start ("requested timeline does not contain minimum recovery point", PostgreSQL before 16).
        await primary.Server.ExecuteAsync("CHECKPOINT");
        var plain = await old.RepmgrAsync("-d", primary.ConnInfo, "node", "rejoin");
        if (!plain.Succeeded && !old.Server.IsRunning)
        {
            var rewind = await old.RepmgrAsync("-d", primary.ConnInfo, "node", "rejoin", "--force-rewind");
            if (!rewind.Succeeded)
            {
                throw new LabException(
                    $"{old.Name} did not rejoin {primary.Name}:\n{plain.Output}\n{rewind.Output}\nits server's log:\n{old.Server.Log}");
            }
        }

        await WaitForStreamingAsync(old.Server);
    }

    /// <summary>Waits until repmgr's tables call a node the active primary: a promotion ends with that, a while after the server is writable.</summary>
    public static Task WaitForRegisteredAsync(RepmgrNode primary) => Wait.UntilAsync(
        async () => await primary.Server.TryScalarAsync<string>(
            $"SELECT type FROM repmgr.nodes WHERE node_id = {primary.Id} AND active", "repmgr", "repmgr") == "primary",
        $"{primary.Name} to be registered as primary");

    /// <summary>Waits until a standby receives WAL.</summary>
    public static Task WaitForStreamingAsync(PostgresServer standby) => Wait.UntilAsync(
        async () => await standby.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1,
        $"{standby.Name} to stream",
        detail: () => standby.Log);

    /// <summary>Waits until a standby has replayed what its primary has written by now.</summary>
    public static async Task WaitForCatchUpAsync(PostgresServer standby, PostgresServer primary)
    {
        var target = await primary.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text");
        await Wait.UntilAsync(
            async () => await standby.TryScalarAsync<string>($"SELECT (pg_last_wal_replay_lsn() >= '{target}')::text") == "true",
            $"{standby.Name} to replay {target}");
    }

    /// <summary>Makes repmgr's tables tell the truth again, the witness's copy included, after a test has told them something else.</summary>
    public async Task CorrectTablesAsync(RepmgrNode primary)
    {
        var sql = $"UPDATE repmgr.nodes SET active = true, type = CASE WHEN type = 'witness' THEN type WHEN node_id = {primary.Id} THEN 'primary'"
            + $" ELSE 'standby' END, upstream_node_id = CASE WHEN node_id = {primary.Id} THEN NULL ELSE {primary.Id} END";
        await primary.Server.ExecuteAsync(sql, "repmgr", "repmgr");
        if (HasWitness && options.Witness)
        {
            await Witness.Server.ExecuteAsync(sql, "repmgr", "repmgr");
        }
    }

    private static async Task MakeServerAsync(RepmgrNode node)
    {
        await node.Server.InitAsync();
        await node.Server.StartAsync();
        await node.Server.ExecuteAsync("CREATE ROLE repmgr SUPERUSER LOGIN");
        await node.Server.ExecuteAsync("CREATE DATABASE repmgr OWNER repmgr");
    }

    private static async Task MakeAppAsync(PostgresServer primary)
    {
        await primary.ExecuteAsync($"CREATE ROLE {AppUser} LOGIN");
        await primary.ExecuteAsync($"CREATE DATABASE {AppDatabase} OWNER {AppUser}");
        await primary.ExecuteAsync("CREATE TABLE lab_writes (id bigint PRIMARY KEY)", AppUser, AppDatabase);
    }
}
