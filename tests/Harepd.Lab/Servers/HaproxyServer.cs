using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Harepd.Lab.Machine;

namespace Harepd.Lab.Servers;

/// <summary>One line of HAProxy's <c>show stat</c> about a server of a backend.</summary>
/// <param name="Status">As HAProxy prints it: <c>UP</c>, <c>DOWN</c>, <c>MAINT</c>, <c>DRAIN</c>, <c>no check</c>, …</param>
/// <param name="Sessions">Sessions on it now.</param>
public sealed record HaproxyState(string Backend, string Server, string Status, int Sessions)
{
    /// <summary>True when HAProxy would send a new connection there.</summary>
    public bool TakesTraffic => Status is "no check" || Status.StartsWith("UP", StringComparison.Ordinal);
}

/// <summary>
/// A real HAProxy (master and worker) with a write listener for backend pg_write and a read listener for pg_read; the servers are named as
/// the nodes.
/// </summary>
public sealed class HaproxyServer
{
    public const string WriteBackend = "pg_write";
    public const string ReadBackend = "pg_read";

    private const int ApiPort = 9999;
    private const int HoldPort = 9998;
    private const int SinkPort = 9997;
    private const string HoldServer = "hold";

    private readonly LabFolder lab;
    private readonly HaproxyOptions options;
    private readonly string config;
    private Proc? process;

    /// <param name="name">Distinguishes several, and names the machine that it runs on.</param>
    public HaproxyServer(LabFolder lab, string address, IReadOnlyList<PostgresServer> servers, HaproxyOptions? options = null, string name = "haproxy")
    {
        this.lab = lab;
        this.options = options ?? new HaproxyOptions();
        Name = name;
        Address = address;
        SocketPath = Path.Combine(lab.MakeFolder(name), "admin.sock");
        config = lab.WriteFile(Path.Combine(name, "haproxy.cfg"), ConfigText(servers));
    }

    public string Name { get; }

    public string Address { get; }

    /// <summary>The machine of the lab's network that it runs on; null without a network.</summary>
    public NetworkMachine? Machine => lab.Network?[Name];

    public int WritePort => 5000;

    public int ReadPort => 5001;

    /// <summary>The runtime API, at the level that may change states.</summary>
    public string SocketPath { get; }

    private string MasterPath => Path.Combine(Path.GetDirectoryName(SocketPath)!, "master.sock");

    /// <summary>The same as the daemons find it: beside them, or over the network.</summary>
    public string Endpoint => lab.Network is null
        ? $"unix:{SocketPath}{(options.MasterSocket ? $",master:unix:{MasterPath}" : "")},hold:tcp:{Address}:{HoldPort}"
        : $"tcp:{Address}:{ApiPort},hold:tcp:{Address}:{HoldPort}";

    public string Log => process?.Output ?? "";

    /// <summary>The master process; its worker is its child.</summary>
    public ProcessIdentity? Master => process is { IsAlive: true } ? process.Identity : null;

    /// <summary>Starts it and waits until the runtime API answers.</summary>
    public async Task StartAsync()
    {
        string[] master = options.MasterSocket ? ["-S", MasterPath] : [];
        process = Proc.Start(lab, new ProcSpec(Name, "/usr/sbin/haproxy", ["-W", "-db", .. master, "-f", config]) { Machine = Name });
        await WaitForAnswerAsync();
        await WaitForMasterAsync();
    }

    /// <summary>Ends it, sessions included.</summary>
    public async Task StopAsync()
    {
        if (process is not null)
        {
            await process.StopAsync(Signal.Terminate, TimeSpan.FromSeconds(5));
            await process.DisposeAsync();
            process = null;
        }
    }

    /// <summary>Reloads as systemd would (SIGUSR2 to the master) and waits until the new worker answers. Old sessions stay with the old worker.</summary>
    public async Task ReloadAsync()
    {
        if (options.StateFile)
        {
            await File.WriteAllTextAsync(Path.Combine(lab.Root, Name, "state"), await CommandAsync("show servers state"));
        }

        var before = await WorkerPidAsync();
        process?.Send(Signal.User2);
        await Wait.UntilAsync(async () => await WorkerPidAsync() is { } now && now != before, "HAProxy's new worker", detail: () => Log);
        await WaitForMasterAsync();
    }

    /// <summary>Sends one command line to the runtime API and returns the answer.</summary>
    /// <exception cref="LabException">No answer within two seconds.</exception>
    public Task<string> CommandAsync(string command) => AskAsync(SocketPath, command);

    private async Task<string> AskAsync(string path, string command)
    {
        using var timer = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), timer.Token);
            await using var stream = new NetworkStream(socket);
            await socket.SendAsync(Encoding.ASCII.GetBytes(command + "\n"), timer.Token);
            if (path == MasterPath)
            {
                // The master listens until the client has said its last; a worker takes that for a client that is gone.
                socket.Shutdown(SocketShutdown.Send);
            }

            using var reader = new StreamReader(stream, Encoding.ASCII);
            return await reader.ReadToEndAsync(timer.Token);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            throw new LabException($"HAProxy did not answer {command}: {e.Message}", e);
        }
    }

    /// <summary>The states of all servers of both backends, in the configuration's order; the hold's server is none.</summary>
    public async Task<IReadOnlyList<HaproxyState>> StatesAsync()
    {
        var states = new List<HaproxyState>();
        foreach (var line in (await CommandAsync("show stat -1 4 -1")).Split('\n'))
        {
            var fields = line.Split(',');
            if (fields.Length > 17 && !line.StartsWith('#') && fields[1] != HoldServer)
            {
                states.Add(new HaproxyState(fields[0], fields[1], fields[17], int.Parse("0" + fields[4], CultureInfo.InvariantCulture)));
            }
        }

        return states;
    }

    /// <summary>The servers of a backend to which HAProxy sends new connections now.</summary>
    public async Task<IReadOnlyList<string>> TakingTrafficAsync(string backend) =>
        [.. (await StatesAsync()).Where(state => state.Backend == backend && state.TakesTraffic).Select(state => state.Server)];

    private async Task<string?> WorkerPidAsync()
    {
        try
        {
            return (await CommandAsync("show info")).Split('\n').FirstOrDefault(line => line.StartsWith("Pid:", StringComparison.Ordinal));
        }
        catch (LabException)
        {
            return null;
        }
    }

    private Task WaitForAnswerAsync() =>
        Wait.UntilAsync(async () => await WorkerPidAsync() is not null, "HAProxy's runtime API", detail: () => Log);

    // The master starts itself anew once its worker runs; a reload that it is told to make before that is lost.
    private Task WaitForMasterAsync() => !options.MasterSocket ? Task.CompletedTask : Wait.UntilAsync(
        async () =>
        {
            try
            {
                return (await AskAsync(MasterPath, "show proc")).Contains("# workers", StringComparison.Ordinal);
            }
            catch (LabException)
            {
                return false;
            }
        },
        "HAProxy's master",
        detail: () => Log);

    private string ConfigText(IReadOnlyList<PostgresServer> servers)
    {
        var text = new StringBuilder();
        text.Append($"""
            global
                stats socket {SocketPath} mode 600 level admin
            {(lab.Network is null ? "" : $"    stats socket ipv4@{Address}:{ApiPort} level admin\n    stats maxconn 64")}
                hard-stop-after 30s
            {(options.StateFile ? $"    server-state-file {Path.Combine(lab.Root, Name, "state")}" : "")}
            defaults
                mode tcp
                timeout connect 100ms
                timeout client 60s
                timeout server 60s
                timeout check 1s
                retries 3
                option redispatch 1
            {(options.StateFile ? "    load-server-state-from-file global" : "")}

            """);
        AppendBackend(text, WriteBackend, WritePort, "harw", servers);
        AppendHold(text);
        AppendBackend(text, ReadBackend, ReadPort, "haro", servers);
        return text.ToString();
    }

    /// <summary>The lines that <c>harepd haproxy-config</c> prints for the hold of planned moves; called right after the write backend.</summary>
    private void AppendHold(StringBuilder text) => text.Append($$"""
            timeout queue 10s
            use-server {{HoldServer}} if { so_name hold }
            server {{HoldServer}} {{Address}}:{{SinkPort}} weight 0 maxconn 1 no-check
        frontend hold_in
            bind {{Address}}:{{HoldPort}} name hold
            timeout client-fin 5s
            default_backend {{WriteBackend}}
        listen harepd_hold
            bind {{Address}}:{{SinkPort}}
            tcp-request inspect-delay 10s
            tcp-request content reject if { req.len gt 0 } !{ req.payload(0,4) -m str hold }
            tcp-request content reject if WAIT_END

        """);

    private void AppendBackend(StringBuilder text, string backend, int port, string checkUser, IReadOnlyList<PostgresServer> servers)
    {
        var check = options.Check == HaproxyCheck.Pgsql
            ? $"check inter {options.CheckInterval.TotalMilliseconds:0}ms fall 1 rise 1 on-marked-down shutdown-sessions"
            : "";
        var disabled = options.StartDisabled ? "disabled" : "";
        text.Append($"frontend {backend}_in\n    bind {Address}:{port}\n    default_backend {backend}\n");
        text.Append($"backend {backend}\n    source {Address}\n");
        text.Append(options.Check == HaproxyCheck.Pgsql ? $"    option pgsql-check user {checkUser}\n" : "");
        foreach (var server in servers)
        {
            text.Append($"    server {server.Name} {server.Address}:{server.Port} {check} {disabled}".TrimEnd()).Append('\n');
        }
    }
}
