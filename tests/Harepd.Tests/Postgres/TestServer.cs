using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harepd.Tests.Files;
using Npgsql;

namespace Harepd.Tests.Postgres;

/// <summary>One real PostgreSQL 15 of a test, run as user postgres in a folder under /tmp and gone with the test.</summary>
internal sealed class TestServer : IDisposable
{
    private const string Binaries = "/usr/lib/postgresql/15/bin/";

    private static readonly Lazy<string> _template = new(MakeTemplate);

    private TestServer(string folder, string address, int port)
    {
        Folder = folder;
        Address = address;
        Port = port;
    }

    public string Folder { get; }

    public string Address { get; }

    public int Port { get; }

    public string DataDirectory => Path.Combine(Folder, "data");

    public string HbaPath => Path.Combine(DataDirectory, "pg_hba.conf");

    /// <summary>The pid that postmaster.pid names.</summary>
    public int PostmasterPid => int.Parse(File.ReadLines(Path.Combine(DataDirectory, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    public string Log => File.Exists(Path.Combine(Folder, "log")) ? File.ReadAllText(Path.Combine(Folder, "log")) : "";

    /// <summary>A fresh, running primary on its own port of a loopback address; local logins need no password.</summary>
    public static TestServer Start(string address, params string[] settings)
    {
        var server = Create(address, settings);
        server.Start();
        return server;
    }

    /// <summary>The same, not started.</summary>
    public static TestServer Create(string address, params string[] settings)
    {
        var server = Empty(address);
        Command.Run("cp", "-a", _template.Value, server.DataDirectory);
        server.Configure(settings);
        return server;
    }

    /// <summary>A running standby that streams from this server.</summary>
    public TestServer StartStandby(string address, params string[] settings)
    {
        var standby = Empty(address);
        AsPostgres("pg_basebackup", "-h", Folder, "-p", $"{Port}", "-U", "postgres", "-D", standby.DataDirectory, "-R", "-c", "fast", "-X", "stream");
        standby.Configure(settings);
        standby.Start();
        return standby;
    }

    public void Start()
    {
        // A killed postmaster may stay a zombie for a second, and its pid file keeps the next one from starting as long.
        if (File.Exists(Path.Combine(DataDirectory, "postmaster.pid")))
        {
            var before = PostmasterPid;
            Eventually.True(() => !Directory.Exists($"/proc/{before}"), "the old postmaster is reaped");
        }

        AsPostgres("pg_ctl", "-D", DataDirectory, "-w", "-t", "60", "-l", Path.Combine(Folder, "log"), "start");
    }

    public void Stop(string mode = "fast") => AsPostgres("pg_ctl", "-D", DataDirectory, "-w", "-m", mode, "stop");

    public void WriteHba(string text)
    {
        // In place, so that the owner stays postgres.
        File.WriteAllText(HbaPath, text);
    }

    public NpgsqlConnection Connect(string user = "postgres", bool overTcp = false, string database = "postgres", string extra = "")
    {
        var connection = new NpgsqlConnection($"Host={(overTcp ? Address : Folder)};Port={Port};Username={user};Database={database};Pooling=false;Timeout=15;{extra}");
        connection.Open();
        return connection;
    }

    public string Query(string sql, string user = "postgres")
    {
        using var connection = Connect(user);
        using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    public void Signal(string signal) => Command.Run("kill", "-" + signal, $"{PostmasterPid}");

    /// <summary>Moves the data of a server that does not run onto a file system mounted in its place.</summary>
    public void MoveDataOnto(Action<string> mountOver)
    {
        var copy = Path.Combine(Folder, "copy");
        Directory.Move(DataDirectory, copy);
        Directory.CreateDirectory(DataDirectory);
        mountOver(DataDirectory);
        Command.Run("cp", "-a", copy + "/.", DataDirectory);
    }

    public void Dispose()
    {
        EndProcesses();
        Directory.Delete(Folder, recursive: true);
    }

    public void EndProcesses()
    {
        foreach (var pid in OwnProcesses())
        {
            TryKill(pid);
        }

        Eventually.True(() => !OwnProcesses().Any(), "the server's processes end");
    }

    /// <summary>Every living process whose working folder is this server's data folder.</summary>
    public IEnumerable<int> OwnProcesses() => Directory.EnumerateDirectories("/proc")
        .Select(Path.GetFileName)
        .Where(name => int.TryParse(name, out _))
        .Where(name => LinkOf($"/proc/{name}/cwd") == DataDirectory)
        .Select(name => int.Parse(name!, CultureInfo.InvariantCulture));

    private static TestServer Empty(string address)
    {
        var folder = Directory.CreateTempSubdirectory("harepd-pg-").FullName;
        Command.Run("chown", "postgres:postgres", folder);
        return new TestServer(folder, address, FreePort(address));
    }

    private void Configure(string[] settings)
    {
        var own = new[]
        {
            $"listen_addresses = '{Address}'", $"port = {Port}", $"unix_socket_directories = '{Folder}'",
            "fsync = off", "max_connections = 120", "log_connections = on", "log_min_messages = log", "shared_buffers = 16MB", "wal_level = logical", "hot_standby = on",
        };
        File.AppendAllLines(Path.Combine(DataDirectory, "postgresql.auto.conf"), own.Concat(settings));
    }

    private static void AsPostgres(string program, params string[] arguments) =>
        Command.Run("runuser", ["-u", "postgres", "--", Binaries + program, .. arguments]);

    private static string MakeTemplate()
    {
        // The test host is often killed before it can tidy up, so each run also removes what runs that are over have left.
        foreach (var left in Directory.GetDirectories("/tmp", "harepd-pgtemplate-*-*"))
        {
            if (!Directory.Exists($"/proc/{Path.GetFileName(left).Split('-')[2]}"))
            {
                Directory.Delete(left, recursive: true);
            }
        }

        var folder = Directory.CreateTempSubdirectory($"harepd-pgtemplate-{Environment.ProcessId}-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        Command.Run("chown", "postgres:postgres", folder);
        AsPostgres("initdb", "-D", Path.Combine(folder, "data"), "-A", "trust", "-N", "--wal-segsize=1", "-E", "UTF8", "--locale=C");
        return Path.Combine(folder, "data");
    }

    private static int FreePort(string address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void TryKill(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // Gone already, which is what is wanted.
        }
    }
}
