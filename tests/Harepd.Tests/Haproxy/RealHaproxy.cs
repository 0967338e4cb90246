using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Harepd.Tests.Haproxy;

/// <summary>A real HAProxy in the foreground (master and worker), with its files in a folder of its own. Ended by process id.</summary>
internal sealed class RealHaproxy : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-haproxy-").FullName;
    private Process? _process;

    public RealHaproxy(Func<RealHaproxy, string> proxies, string global = "")
        : this(self => self.Around(proxies(self), global))
    {
    }

    private RealHaproxy(Func<RealHaproxy, string> whole)
    {
        var address = TestNet.Address();
        Write = new IPEndPoint(address, TestNet.FreePort(address));
        Read = new IPEndPoint(Write.Address, TestNet.FreePort(Write.Address));
        Tcp = new IPEndPoint(Write.Address, TestNet.FreePort(Write.Address));
        File.WriteAllText(Path.Combine(_folder, "haproxy.cfg"), whole(this));
        Start();
    }

    public IPEndPoint Write { get; }

    public IPEndPoint Read { get; }

    /// <summary>The runtime API over TCP.</summary>
    public IPEndPoint Tcp { get; }

    public string Socket => Path.Combine(_folder, "admin.sock");

    public string Master => Path.Combine(_folder, "master.sock");

    public string Folder => _folder;

    public int Pid => _process!.Id;

    /// <summary>A configuration of its own from the first line to the last.</summary>
    public static RealHaproxy Whole(Func<RealHaproxy, string> text) => new(text);

    /// <summary>The usual two backends: <c>wr</c> and <c>rd</c> with the servers given.</summary>
    public static RealHaproxy WithServers(params string[] servers) => new(self => $"""
        listen wr
          bind {self.Write}
          {string.Join("\n  ", servers)}
        listen rd
          bind {self.Read}
          {string.Join("\n  ", servers)}
        """, global: "");

    public static void Signal(int pid, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public void Reload()
    {
        var before = WorkerPid();
        Signal(Pid, "USR2");
        TestNet.Eventually(() => WorkerPid() is var now && now != before && now != 0, "the reload");

        // The old worker accepts on the shared socket until it has heard that it must stop.
        TestNet.Eventually(() => Command($"@!{before} show info", Master)?.Contains("Stopping: 0", StringComparison.Ordinal) != true, "the old one stops");
    }

    public void Restart()
    {
        Stop();
        Start();
    }

    public void Start()
    {
        _process = Process.Start(new ProcessStartInfo("haproxy", ["-W", "-S", Master, "-f", Path.Combine(_folder, "haproxy.cfg")])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        TestNet.Eventually(() => WorkerPid() != 0, "HAProxy answers");

        // The master starts itself anew once its worker runs, and a reload signalled before that is lost.
        TestNet.Eventually(() => Command("show proc", Master)?.Contains("# workers", StringComparison.Ordinal) == true, "its master answers");
    }

    public void Stop()
    {
        if (_process is { HasExited: false } process)
        {
            // SIGTERM to the master ends every worker, old ones too; SIGCONT in case a test left it stopped.
            Signal(process.Id, "CONT");
            Signal(process.Id, "TERM");
            if (!process.WaitForExit(15_000))
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }
        }

        File.Delete(Socket);
    }

    /// <summary>One command over the runtime socket; null when it cannot be reached.</summary>
    public string? Command(string command, string? path = null)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
            socket.Connect(new UnixDomainSocketEndPoint(path ?? Socket));
            socket.Send(Encoding.ASCII.GetBytes(command + "\n"));
            using var reader = new StreamReader(new NetworkStream(socket), Encoding.Latin1);
            if (path is not null)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            return reader.ReadToEnd();
        }
        catch (Exception ex) when (ex is SocketException or IOException)
        {
            return null;
        }
    }

    public int WorkerPid()
    {
        var line = Command("show info")?.Split('\n').FirstOrDefault(l => l.StartsWith("Pid: ", StringComparison.Ordinal));
        return line is null ? 0 : int.Parse(line[5..], CultureInfo.InvariantCulture);
    }

    /// <summary>The admin state bits of a server.</summary>
    public int Admin(string backend, string server) =>
        int.Parse(
            Command($"show servers state {backend}")!.Split('\n').Select(l => l.Split(' ')).First(c => c.Length > 6 && c[3] == server)[6],
            CultureInfo.InvariantCulture);

    public void Dispose()
    {
        Stop();
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Around(string proxies, string global) => $"""
            global
              stats socket {Socket} mode 600 level admin expose-fd listeners
              stats socket ipv4@{Tcp} level admin
              {global}
            defaults
              mode tcp
              option redispatch
              timeout connect 2s
              timeout client 1h
              timeout server 1h
              timeout check 1s
            {proxies}

            """;
}
