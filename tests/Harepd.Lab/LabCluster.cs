using System.Net.Sockets;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Lab;

/// <summary>The whole of it: primary, standby and witness under repmgr, HAProxy in front, a daemon on every node. All on loopback, gone on dispose.</summary>
public sealed class LabCluster : IAsyncDisposable
{
    public const int GrpcPort = 10000;
    public const int HttpPort = 8008;
    private const int NameServerHost = 53;

    private static readonly (string Name, int Host)[] LoopbackHaproxies = [("haproxy", 9)];
    private static readonly (string Name, int Host)[] NetworkHaproxies = [("haproxy_1", 9), ("haproxy_2", 10)];

    // One client beside each HAProxy, so that there is one on both sides of every cut.
    private static readonly IReadOnlyDictionary<string, int> NetworkHosts = new Dictionary<string, int>(NetworkHaproxies.ToDictionary(place => place.Name, place => place.Host))
    {
        ["node_1"] = 1,
        ["node_2"] = 2,
        ["node_3"] = 3,
        ["client_1"] = 21,
        ["client_2"] = 22,
    };

    private readonly LabClusterOptions options;

    private LabCluster(LabFolder lab, RepmgrCluster repmgr, LabClusterOptions options)
    {
        this.options = options;
        Lab = lab;
        Repmgr = repmgr;
        Haproxies = [.. (options.Network ? NetworkHaproxies : LoopbackHaproxies)
            .Select(place => new HaproxyServer(lab, lab.AddressOf(place.Host), [.. repmgr.DataNodes.Select(node => node.Server)], options.Haproxy, place.Name))];
        Pgbouncers = options.Pgbouncer
            ? [.. repmgr.DataNodes.Select(node => new PgbouncerServer(lab, $"bouncer_{node.Id}", node.Server.Address))]
            : [];
        RepmgrNode[] members = [repmgr.Node1, repmgr.Node2, repmgr.Witness];
        Names = options.Names ? new LabNames(lab, members.ToDictionary(node => node.Name, node => node.Server.Address), lab.AddressOf(NameServerHost)) : null;
        Daemon1 = MakeDaemon(repmgr.Node1);
        Daemon2 = MakeDaemon(repmgr.Node2);
        WitnessDaemon = repmgr.HasWitness
            ? new HarepdProcess(lab, repmgr.Witness.Name, WriteWitnessConfig(), HarepdMode.ServerOnly) { Wrapper = Wrapper }
            : MakeDaemon(repmgr.Witness);
    }

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public LabFolder Lab { get; }

    public RepmgrCluster Repmgr { get; }

    /// <summary>The first, and on loopback the only one.</summary>
    public HaproxyServer Haproxy => Haproxies[0];

    public IReadOnlyList<HaproxyServer> Haproxies { get; }

    /// <summary>One for each data node, in their order, where the options ask for them.</summary>
    public IReadOnlyList<PgbouncerServer> Pgbouncers { get; }

    /// <summary>The members' names, where the options ask for them.</summary>
    public LabNames? Names { get; }

    public HarepdProcess Daemon1 { get; }

    public HarepdProcess Daemon2 { get; }

    /// <summary>The third node's.</summary>
    public HarepdProcess WitnessDaemon { get; }

    public IReadOnlyList<HarepdProcess> Daemons => [Daemon1, Daemon2, WitnessDaemon];

    /// <summary>Makes and starts everything, HAProxy and daemons included; the clients' way is not waited for.</summary>
    public static async Task<LabCluster> StartAsync(LabClusterOptions? options = null, Action<string>? progress = null)
    {
        var chosen = options ?? new LabClusterOptions();
        var lab = LabFolder.Create(chosen.OwnSignals);
        try
        {
            if (chosen.Network)
            {
                await lab.BuildNetworkAsync(NetworkHosts);
            }

            var repmgr = await RepmgrCluster.CreateAsync(lab, chosen.Repmgr, progress);
            var cluster = new LabCluster(lab, repmgr, chosen);
            progress?.Invoke("HAProxy and daemons");
            await Task.WhenAll([.. cluster.Haproxies.Select(haproxy => haproxy.StartAsync()), .. cluster.Pgbouncers.Select(bouncer => bouncer.StartAsync())]);
            if (chosen.StartDaemons)
            {
                cluster.StartDaemons();
            }

            return cluster;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    public void StartDaemons()
    {
        foreach (var daemon in Daemons)
        {
            daemon.Start();
        }
    }

    /// <summary>What a node keeps on tmpfs is gone, as after a boot. Its daemon must not run.</summary>
    public void ForgetMemory(RepmgrNode node)
    {
        foreach (var file in new DirectoryInfo(Path.Combine(Lab.MemoryRoot, node.Name)).EnumerateFiles())
        {
            file.Delete();
        }
    }

    public HarepdProcess DaemonOf(RepmgrNode node) => node == Repmgr.Node1 ? Daemon1 : node == Repmgr.Node2 ? Daemon2 : WitnessDaemon;

    /// <summary>The daemon's <c>runDir</c>: its resume files, its locks, and the page that it shares with the guard.</summary>
    public string StateFolderOf(RepmgrNode node) => Lab.MakeFolder(Path.Combine(node.Name, "state"));

    public string RunFolderOf(RepmgrNode node) => Lab.MakeMemoryFolder(node.Name);

    /// <summary>The other one of the first two.</summary>
    public RepmgrNode OtherThan(RepmgrNode node) => node == Repmgr.Node1 ? Repmgr.Node2 : Repmgr.Node1;

    /// <summary>A data node's daemon as one of two processes (<c>--server-only</c> and <c>--client-only</c>) on the same configuration.</summary>
    public HarepdProcess Part(RepmgrNode node, HarepdMode mode) => new(Lab, node.Name, DaemonOf(node).ConfigFile, mode) { Wrapper = Wrapper };

    /// <summary>A daemon of a node on other keys than the lab's, with a file of its own.</summary>
    public HarepdProcess ExtraDaemon(RepmgrNode node, IReadOnlyDictionary<string, string?> keys) =>
        new(Lab, node.Name, Lab.WriteFile(Path.Combine(node.Name, "extra.yml"), YamlFile.Write("harepd", keys))) { Wrapper = Wrapper };

    /// <summary>Begins to write through HAProxy.</summary>
    public Writer WriteThroughHaproxy(WriterOptions? writer = null, int number = 0) =>
        Writer.Start(Haproxy.Address, Haproxy.WritePort, number, writer);

    /// <summary>Begins to write past HAProxy, straight at one server, as a client would that has the wrong address.</summary>
    public static Writer WriteDirectly(RepmgrNode node, WriterOptions? writer = null) =>
        Writer.Start(node.Server.Address, node.Server.Port, node.Id, writer ?? new WriterOptions { Clients = 1, Rate = 50 });

    /// <summary>Waits until every HAProxy sends writers to this node alone, and the node is a primary.</summary>
    public Task WaitForServingAsync(RepmgrNode node, TimeSpan? limit = null) => Wait.UntilAsync(
        async () =>
        {
            var serving = await Task.WhenAll(Haproxies.Select(haproxy => haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend)));
            return serving.All(servers => servers is [var only] && only == node.Name) && await IsPrimaryAsync(node);
        },
        $"HAProxy to serve {node.Name}",
        limit,
        detail: Describe);

    /// <summary>Waits until a planned move away from the primary passes its checks.</summary>
    public Task WaitForMoveAsync(RepmgrNode primary) => Wait.UntilAsync(
        async () => (await DaemonOf(primary).RunAsync("switchover", "--dry-run")).ExitCode == 0, $"a move from {primary.Name} to be possible", Patience, detail: Describe);

    /// <summary>Waits until a standby's daemon has heard that the primary holds the lease: one that has heard of no primary since it began promotes nobody.</summary>
    public Task WaitForKnownAsync(RepmgrNode standby, RepmgrNode primary) => Wait.UntilAsync(
        async () => (await DaemonView.AskAsync(Member(standby)))?.HolderHeard == Member(primary), $"{standby.Name} to hear of {primary.Name}", Patience, detail: Describe);

    /// <summary>Waits until a server streams from this one and no other.</summary>
    public Task WaitForStreamingAsync(RepmgrNode standby, RepmgrNode primary) => Wait.UntilAsync(
        async () => await standby.Server.TryScalarAsync<string>("SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming'") == primary.Server.Address,
        $"{standby.Name} to stream from {primary.Name}",
        Patience,
        detail: Describe);

    /// <summary>The first other data node whose server is out of recovery; null where none is.</summary>
    public async Task<RepmgrNode?> PrimaryBesideAsync(RepmgrNode node)
    {
        foreach (var other in Repmgr.DataNodes.Where(other => other != node))
        {
            if (await IsPrimaryAsync(other))
            {
                return other;
            }
        }

        return null;
    }

    /// <summary>Waits until a node's daemon takes connections of its peers.</summary>
    public Task WaitForListeningAsync(RepmgrNode node) => Wait.UntilAsync(
        async () =>
        {
            try
            {
                using var session = await WireSession.OpenAsync(node.Server.Address, GrpcPort, TimeSpan.FromSeconds(1), from: Lab.Network?[node.Name]);
                return true;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                return false;
            }
        },
        $"the daemon of {node.Name} to listen",
        detail: Describe);

    /// <summary>Waits until a node's guard looks at the lease: it says so when this run started it, and the daemon does of one that outlived an earlier run.</summary>
    public Task WaitForGuardAsync(RepmgrNode node) => Wait.UntilAsync(
        () => DaemonOf(node).Log.Contains("the guard looks at the lease", StringComparison.Ordinal),
        $"the guard of {node.Name}",
        detail: Describe);

    /// <summary>The ends of all logs; for the message of a failed test.</summary>
    public string Describe() => string.Join(
        "\n",
        Daemons.Select(daemon => $"---- {daemon.NodeName} daemon{(daemon.IsRunning ? "" : $" (ended, exit {daemon.ExitCode})")}\n{End(daemon.Log)}")
            .Concat(Repmgr.DataNodes.Select(node => $"---- {node.Name} PostgreSQL\n{End(node.Server.Log)}"))
            .Concat(Repmgr.DataNodes.Select(node => $"---- {node.Name} repmgrd\n{End(node.DaemonLog)}"))
            .Concat(Pgbouncers.Select(bouncer => $"---- {bouncer.Name}\n{End(bouncer.Log)}"))
            .Concat(Haproxies.Select(haproxy => $"---- {haproxy.Name}\n{End(haproxy.Log)}")));

    public async ValueTask DisposeAsync()
    {
        Names?.Dispose();
        await Lab.DisposeAsync();
    }

    /// <summary>The keys that the lab writes for a data node; a test may write a file of its own from them.</summary>
    public Dictionary<string, string?> DataNodeKeys(RepmgrNode node, params RepmgrNode[] others)
    {
        var keys = CommonKeys(node);
        keys["primaryIP"] = Quote(node.Server.Address);
        keys["allowRO"] = "true";
        keys["hbaConfig"] = Quote(node.Server.HbaFile);
        keys["watchDog"] = "2";
        keys["authModes"] = "{ allow: trust, deny: reject }";
        keys["repmgr"] = "{ user: repmgr, db: repmgr }";
        keys["haproxy.server"] = $"[{string.Join(", ", Haproxies.Select(haproxy => Quote(haproxy.Address)))}]";
        keys["haproxy.users"] = "{ readWrite: harw, readOnly: haro }";
        keys["haproxy.endpoints"] = $"[{string.Join(", ", Haproxies.Select(haproxy => Quote(haproxy.Endpoint)))}]";
        keys["haproxy.writeBackend"] = HaproxyServer.WriteBackend;
        keys["haproxy.readBackend"] = HaproxyServer.ReadBackend;
        keys["postgres.socketDir"] = Quote(node.Server.SocketDirectory);
        keys["postgres.port"] = $"{node.Server.Port}";
        keys["postgres.user"] = "postgres";
        keys["postgres.binDirectory"] = Quote(PostgresServer.BinDirectory);
        keys["postgres.dataDirectory"] = Quote(node.Server.DataDirectory);
        keys["gRPC.neighbours"] = $"[{string.Join(", ", others.Select(other => Quote(Called(other))))}]";
        keys["gRPC.witness"] = Repmgr.HasWitness ? Quote(Called(Repmgr.Witness)) : null;
        if (Pgbouncers.FirstOrDefault(bouncer => bouncer.Address == node.Server.Address) is { } bouncer)
        {
            keys["pgbouncer.endpoints"] = $"[{Quote(bouncer.Endpoint)}]";
            keys["pgbouncer.user"] = PgbouncerServer.Admin;
            keys["pgbouncer.databases"] = "[app]";
            keys["pgbouncer.includeFile"] = Quote(bouncer.IncludeFile);
        }

        return keys;
    }

    /// <summary>A node's name in the voting set.</summary>
    public static string Member(RepmgrNode node) => $"{node.Server.Address}:{GrpcPort}";

    private string Called(RepmgrNode node) => Names is null ? Member(node) : $"{LabNames.NameOf(node.Name)}:{GrpcPort}";

    private IReadOnlyList<string> Wrapper => [.. Names?.Wrapper ?? [], .. options.Harepd.HasUnitsPrecedence && Environment.UserName == "root" ? ["nice", "-n", "-10"] : ReadOnlySpan<string>.Empty];

    private static string Quote(string text) => $"\"{text}\"";

    private static string End(string text) => text.Length > 4000 ? text[^4000..] : text;

    private static async Task<bool> IsPrimaryAsync(RepmgrNode node) => await node.Server.IsInRecoveryAsync() == false;

    private HarepdProcess MakeDaemon(RepmgrNode node) =>
        new(Lab, node.Name, WriteConfig(node, DataNodeKeys(node, [.. Repmgr.DataNodes.Where(other => other != node)]))) { Wrapper = Wrapper };

    private string WriteWitnessConfig()
    {
        var keys = CommonKeys(Repmgr.Witness);
        keys["gRPC.neighbours"] = $"[\"{Called(Repmgr.Node1)}\", \"{Called(Repmgr.Node2)}\"]";
        return WriteConfig(Repmgr.Witness, keys);
    }

    private Dictionary<string, string?> CommonKeys(RepmgrNode node) => new()
    {
        ["cluster"] = "lab",
        ["nodeName"] = Quote(node.Name),
        ["gRPC.bindAddress"] = Quote(node.Server.Address),
        ["gRPC.bindPort"] = $"{GrpcPort}",
        ["gRPC.advertise"] = Names is null ? null : Quote(Called(node)),
        ["http.bindPort"] = $"{HttpPort}",
        // A voter that starts without memory is silent for a little longer than this: ten seconds by default, at every start of a lab.
        ["lease.maxDuration"] = "3s",
        ["stateDir"] = Quote(StateFolderOf(node)),
        ["runDir"] = Quote(RunFolderOf(node)),
        ["logs.filePath"] = options.JsonLogs ? Quote(JsonLogOf(node)) : null,
    };

    /// <summary>Where a node's daemon writes its JSON lines, with <see cref="LabClusterOptions.JsonLogs"/>.</summary>
    public string JsonLogOf(RepmgrNode node) => Path.Combine(Lab.Root, node.Name, "harepd.jsonl");

    private string WriteConfig(RepmgrNode node, Dictionary<string, string?> keys)
    {
        foreach (var (key, value) in options.Harepd.Keys)
        {
            keys[key] = value;
        }

        return Lab.WriteFile(Path.Combine(node.Name, "harepd.yml"), YamlFile.Write("harepd", keys));
    }
}
