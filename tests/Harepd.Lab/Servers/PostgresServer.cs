using System.Globalization;
using Harepd.Lab.Machine;
using Npgsql;

namespace Harepd.Lab.Servers;

/// <summary>
/// A real PostgreSQL with its own data directory, loopback address and socket folder. It may be started by the lab or by repmgr
/// (which runs the node's start script): what runs is always known from <c>postmaster.pid</c>.
/// </summary>
public sealed class PostgresServer
{
    public const int DefaultPort = 5432;

    private const string Installations = "/usr/lib/postgresql";

    private readonly LabFolder lab;
    private readonly PostgresOptions options;

    private ProcessIdentity? killed;

    public PostgresServer(LabFolder lab, string name, string address, PostgresOptions? options = null, int port = DefaultPort)
    {
        this.lab = lab;
        this.options = options ?? new PostgresOptions();
        Name = name;
        Address = address;
        Port = port;
        var folder = lab.MakeFolder(name);
        DataDirectory = Path.Combine(folder, "data");
        SocketDirectory = lab.MakeFolder(Path.Combine(name, "socket"));
        LogFile = Path.Combine(lab.Root, name + ".postgres.log");
        StartScript = lab.WriteFile(Path.Combine(name, "start"), StartScriptText(), executable: true);
    }

    /// <summary>The programs of the newest PostgreSQL on this machine that repmgr is installed for.</summary>
    /// <exception cref="LabException">There is none.</exception>
    public static string BinDirectory => FindBinDirectory();

    public string Name { get; }

    public string Address { get; }

    public int Port { get; }

    public string DataDirectory { get; }

    public string SocketDirectory { get; }

    public string HbaFile => Path.Combine(DataDirectory, "pg_hba.conf");

    public string LogFile { get; }

    /// <summary>Starts this server as <c>pg_ctl</c> would; what repmgr calls as its service_start_command.</summary>
    public string StartScript { get; }

    /// <summary>The end of the server's log.</summary>
    public string Log => Proc.Tail(LogFile);

    /// <summary>The running postmaster; null when there is none (a zombie is none).</summary>
    public ProcessIdentity? Postmaster
    {
        get
        {
            try
            {
                var first = File.ReadLines(Path.Combine(DataDirectory, "postmaster.pid")).FirstOrDefault();
                return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                    && ProcessIdentity.Of(pid) is { IsAlive: true } identity
                    && WorksHere(pid)
                        ? identity
                        : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    public bool IsRunning => Postmaster is not null;

    // Only after a kill: otherwise a server that runs is none that was started again.
    private bool IsStartedAgain => killed is { } dead && Postmaster is { } now && now != dead;

    /// <summary>A connection string over the unix socket (the default) or over the loopback address; never pooled, short deadlines.</summary>
    public string ConnectionString(string user = "postgres", string database = "postgres", bool overTcp = false) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = overTcp ? Address : SocketDirectory,
            Port = Port,
            Username = user,
            Database = database,
            Pooling = false,
            Timeout = 5,
            CommandTimeout = 20,
            ApplicationName = "lab",
        }.ConnectionString;

    /// <summary>Makes an empty cluster with the lab's settings.</summary>
    public async Task InitAsync()
    {
        await Proc.MustRunAsync(lab, new ProcSpec(
            Name + ".initdb",
            Path.Combine(BinDirectory, "initdb"),
            "-D", DataDirectory, "--no-sync", "--no-instructions", "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8",
            "--wal-segsize", options.WalSegmentMb.ToString(CultureInfo.InvariantCulture)));
        await File.AppendAllTextAsync(Path.Combine(DataDirectory, "postgresql.conf"), Settings());
        await File.WriteAllTextAsync(HbaFile, options.Hba(lab.Network is null ? "127.0.0.0/8" : MachineNetwork.Block));
    }

    /// <summary>Starts the server, unless harepd was faster, and waits until it answers.</summary>
    /// <exception cref="LabException">It did not; the message holds the end of its log.</exception>
    public async Task StartAsync()
    {
        if (IsStartedAgain)
        {
            await WaitForAnswerAsync();
            return;
        }

        var result = await Proc.RunAsync(lab, new ProcSpec(Name + ".start", StartScript) { Machine = Name }, TimeSpan.FromSeconds(60));
        if (!result.Succeeded && !IsStartedAgain)
        {
            throw new LabException($"{Name} did not start:\n{result.Output}\n{Log}");
        }

        await WaitForAnswerAsync();
    }

    /// <summary>Starts a stopped server as a standby of a running one, the plain way: no repmgr, no rewind. It was stopped cleanly before that one was promoted.</summary>
    public async Task FollowAsync(PostgresServer primary, string user)
    {
        await File.AppendAllTextAsync(
            Path.Combine(DataDirectory, "postgresql.auto.conf"),
            $"primary_conninfo = 'host={primary.Address} port={primary.Port} user={user} application_name={Name}'\n");
        lab.WriteFile(Path.Combine(Name, "data", "standby.signal"), "");
        await StartAsync();
    }

    /// <summary>Runs a psql script as the superuser.</summary>
    /// <exception cref="LabException">A statement failed.</exception>
    public Task RunScriptAsync(string script) => Proc.MustRunAsync(lab, new ProcSpec(
        Name + ".psql",
        Path.Combine(BinDirectory, "psql"),
        "-X", "-v", "ON_ERROR_STOP=1", "-h", SocketDirectory, "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-d", "postgres",
        "-f", lab.WriteFile(Path.Combine(Name, "script.sql"), script)));

    /// <summary>Waits until the server answers a query.</summary>
    public Task WaitForAnswerAsync(TimeSpan? limit = null) =>
        Wait.UntilAsync(async () => await TryScalarAsync<int>("SELECT 1") == 1, $"an answer of {Name}", limit, detail: () => Log);

    /// <summary>Stops the server by pg_ctl and waits for its end.</summary>
    public Task StopAsync(StopMode mode = StopMode.Fast) => Proc.MustRunAsync(lab, new ProcSpec(
        Name + ".stop",
        Path.Combine(BinDirectory, "pg_ctl"),
        "-D", DataDirectory, "-w", "-t", "30", "-m", mode.ToString().ToLowerInvariant(), "stop"));

    /// <summary>kill -9 of the postmaster alone; its children notice and end by themselves.</summary>
    /// <returns>The postmaster that was killed.</returns>
    public ProcessIdentity KillPostmaster()
    {
        var postmaster = Postmaster ?? throw new LabException($"{Name} does not run");
        killed = postmaster;
        postmaster.Send(Signal.Kill);
        return postmaster;
    }

    /// <summary>
    /// Waits until no process of the server is left, so that it can be started again, or harepd has started it. A killed postmaster may stay a zombie until init reaps
    /// it, and PostgreSQL takes the number in its pid files for a running server that long: the files of a dead server are removed.
    /// </summary>
    public async Task WaitForEndAsync()
    {
        await Wait.UntilAsync(() => IsStartedAgain || !LabSweep.ProcessesOf(DataDirectory).Any(process => process.IsAlive), $"the end of {Name}");
        if (IsStartedAgain)
        {
            return;
        }

        File.Delete(Path.Combine(DataDirectory, "postmaster.pid"));
        File.Delete(Path.Combine(SocketDirectory, $".s.PGSQL.{Port}.lock"));
    }

    /// <summary>SIGSTOP of the postmaster: sessions go on, new connections hang.</summary>
    public void FreezePostmaster() => Postmaster?.Send(Signal.Stop);

    /// <summary>SIGSTOP of the postmaster and all its children: the server is as dead as on a stopped virtual machine.</summary>
    public void FreezeAll() => SendToAll(Signal.Stop);

    public void Thaw() => SendToAll(Signal.Continue);

    /// <summary>One value from a fresh connection over the unix socket.</summary>
    public async Task<T> ScalarAsync<T>(string sql, string user = "postgres", string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(ConnectionString(user, database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)Convert.ChangeType((await command.ExecuteScalarAsync())!, typeof(T), CultureInfo.InvariantCulture);
    }

    /// <summary>As <see cref="ScalarAsync"/>; the default value when the server does not answer.</summary>
    public async Task<T?> TryScalarAsync<T>(string sql, string user = "postgres", string database = "postgres")
    {
        try
        {
            return await ScalarAsync<T>(sql, user, database);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or OperationCanceledException)
        {
            return default;
        }
    }

    /// <summary>Runs statements over a fresh connection over the unix socket.</summary>
    public async Task ExecuteAsync(string sql, string user = "postgres", string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(ConnectionString(user, database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>False on a primary, true on a standby, null when it does not answer.</summary>
    public async Task<bool?> IsInRecoveryAsync() =>
        await TryScalarAsync<string>("SELECT pg_is_in_recovery()::text") is { } text ? text == "true" : null;

    /// <summary>The timeline that a primary writes.</summary>
    public async Task<uint> TimelineAsync() =>
        uint.Parse(await ScalarAsync<string>("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>The ids that writers' rows have on this server.</summary>
    public async Task<IReadOnlySet<long>> WrittenIdsAsync()
    {
        var text = await ScalarAsync<string>("SELECT coalesce(string_agg(id::text, ','), '') FROM lab_writes", "postgres", "app");
        return text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(id => long.Parse(id, CultureInfo.InvariantCulture)).ToHashSet();
    }

    private void SendToAll(Signal signal)
    {
        foreach (var process in LabSweep.ProcessesOf(DataDirectory))
        {
            process.Send(signal);
        }
    }

    private static string FindBinDirectory() => Directory.Exists(Installations)
        ? Directory.EnumerateDirectories(Installations)
            .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var major) ? major : 0)
            .Select(folder => Path.Combine(folder, "bin"))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "repmgr"))) ?? throw new LabException($"no repmgr below {Installations}; install postgresql-15-repmgr")
        : throw new LabException("no PostgreSQL; install postgresql-15 and postgresql-15-repmgr");

    private bool WorksHere(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget == DataDirectory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Address, port and socket folder are given on the command line: clone and pg_rewind copy postgresql.conf from the other node.
    private string StartScriptText() => $"""
        #!/bin/sh
        # Starts {Name}; also what repmgr runs as service_start_command.
        exec {BinDirectory}/pg_ctl -D '{DataDirectory}' -w -t 30 -l '{LogFile}' \
            -o "-c listen_addresses={Address} -c port={Port} -c unix_socket_directories={SocketDirectory} -c cluster_name={Name}" start

        """;

    private string Settings() => $"""

        shared_buffers = 16MB
        max_connections = {options.MaxConnections}
        fsync = {(options.Durable ? "on" : "off")}
        wal_level = replica
        wal_log_hints = on
        hot_standby = on
        max_wal_senders = 10
        max_replication_slots = 10
        wal_keep_size = 128MB
        wal_receiver_timeout = 10s
        wal_retrieve_retry_interval = 200ms
        log_line_prefix = '%m [%p] %u@%d %h '
        log_timezone = 'UTC'
        # Clients that write where they may not would fill the log; refusals by pg_hba.conf are FATAL and stay.
        log_min_messages = log
        shared_preload_libraries = 'repmgr'
        jit = off
        autovacuum = off
        {options.Settings}

        """;
}
