using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Harepd.Lab;
using Harepd.Lab.Machine;

namespace Harepd.Bench.Steering;

/// <summary>How HAProxy learns whether a server takes writers.</summary>
internal enum PullMode
{
    /// <summary><c>option httpchk</c>.</summary>
    Httpchk,

    /// <summary><c>agent-check</c> alone, which no one should run: it is not fail-closed.</summary>
    AgentCheck,

    /// <summary>Both, as <c>harepd haproxy-config</c> would have it.</summary>
    Both,

    /// <summary>None: told by the runtime API.</summary>
    Push,
}

/// <summary>A real HAProxy with one backend for each way and each side, all with one server, <c>node</c>. No client comes: its own view is measured.</summary>
internal sealed class CheckedHaproxy : IAsyncDisposable
{
    public const string Server = "node";
    public static readonly TimeSpan CheckInterval = TimeSpan.FromMilliseconds(50);
    public static readonly TimeSpan AgentInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Proc _process;

    private CheckedHaproxy(Proc process, string socket)
    {
        _process = process;
        SocketPath = socket;
    }

    public string SocketPath { get; }

    public static string Backend(PullMode mode, bool isOwn) => $"{mode}_{(isOwn ? "harepd" : "hand")}".ToLowerInvariant();

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="ends">Where the checks of each side are answered: over HTTP, and as an agent.</param>
    public static async Task<CheckedHaproxy> StartAsync(LabFolder lab, Func<bool, (IPEndPoint Http, IPEndPoint Agent)> ends)
    {
        var socket = Path.Combine(lab.MakeFolder("checked"), "admin.sock");
        var file = lab.WriteFile(Path.Combine("checked", "haproxy.cfg"), ConfigText(socket, ends));
        var haproxy = new CheckedHaproxy(Proc.Start(lab, new ProcSpec("checked", "/usr/sbin/haproxy", "-db", "-f", file)), socket);
        await Wait.UntilAsync(() => Task.FromResult(haproxy.TryAsk("show info") is not null), "HAProxy to answer", detail: () => haproxy._process.Output);
        return haproxy;
    }

    /// <summary>One command, on the caller's thread.</summary>
    /// <exception cref="LabException">It did not answer.</exception>
    public string Ask(string command) => TryAsk(command) ?? throw new LabException($"HAProxy did not answer {command}");

    /// <summary>Looks all the time until a server is in or out of service; returns the moment of the look, by <see cref="Stopwatch"/>.</summary>
    public long AwaitService(string backend, bool isUp)
    {
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < Patience)
        {
            if (IsUp(backend) == isUp)
            {
                return Stopwatch.GetTimestamp();
            }

            Thread.Sleep(TimeSpan.FromMicroseconds(200));
        }

        throw new LabException($"{backend} did not become {(isUp ? "up" : "down")}: {Ask($"show servers state {backend}")}");
    }

    public async ValueTask DisposeAsync()
    {
        await _process.StopAsync();
        await _process.DisposeAsync();
    }

    /// <summary>Columns 6 and 7 of <c>show servers state</c> (management guide 9.3): running is 2, and no administrative state is set.</summary>
    private bool IsUp(string backend)
    {
        var fields = Ask($"show servers state {backend}").Split('\n').Select(line => line.Split(' ')).First(row => row.Length > 6 && row[3] == Server);
        return fields[5] == "2" && fields[6] == "0";
    }

    private string? TryAsk(string command)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 2_000 };
            socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
            socket.Send(Encoding.ASCII.GetBytes(command + "\n"));
            using var reader = new StreamReader(new NetworkStream(socket), Encoding.ASCII);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    private static string ConfigText(string socket, Func<bool, (IPEndPoint Http, IPEndPoint Agent)> ends)
    {
        var text = new StringBuilder($"""
            global
                stats socket {socket} mode 600 level admin
            defaults
                mode tcp
                timeout connect 1s
                timeout client 1h
                timeout server 1h
                timeout check 1s

            """);
        foreach (var mode in Enum.GetValues<PullMode>())
        {
            foreach (var isOwn in new[] { false, true })
            {
                var (http, agent) = ends(isOwn);
                var asksHttp = mode is PullMode.Httpchk or PullMode.Both;
                text.Append(CultureInfo.InvariantCulture, $"backend {Backend(mode, isOwn)}\n");
                text.Append(asksHttp ? "    option httpchk OPTIONS /primary\n    http-check expect status 200\n" : "");
                text.Append(CultureInfo.InvariantCulture, $"    server {Server} {http}");
                text.Append(asksHttp ? $" check inter {CheckInterval.TotalMilliseconds}ms fall 1 rise 1" : "");
                text.Append(mode is PullMode.AgentCheck or PullMode.Both
                    ? $" agent-check agent-addr {agent.Address} agent-port {agent.Port} agent-inter {AgentInterval.TotalMilliseconds}ms agent-send \"write\\n\""
                    : "");
                text.Append('\n');
            }
        }

        return text.ToString();
    }
}
