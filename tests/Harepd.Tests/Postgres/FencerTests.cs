using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres;
using Harepd.Postgres.Control;
using Harepd.Postgres.Fencing;
using Harepd.Postgres.Hba;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;
using Npgsql;
using Xunit;

namespace Harepd.Tests.Postgres;

public sealed class FencerTests : IDisposable
{
    private const string Operators = "local all all trust\nlocal replication all trust\nhost all slow 127.0.0.0/8 md5\nhost all all 127.0.0.0/8 trust\nhost replication all 127.0.0.0/8 trust\n";

    private static readonly HbaPolicy _policy = new()
    {
        NodeName = "node_1",
        HaproxyServers = ["127.0.0.1"],
        ReadWriteUser = "harw",
        ReadOnlyUser = "haro",
        ExemptUsers = ["repmgr"],
    };

    private readonly TestServer _server;
    private readonly List<IDisposable> _owned = [];

    public FencerTests()
    {
        _server = TestServer.Create("127.30.4.1", "cluster_name = 'c: 1'");
        _server.WriteHba(Operators);
        _server.Start();
        _server.Query("create role repmgr login superuser; create role app login; create role slow login password 'x'; create table t(n bigint); grant all on t to app, slow");
    }

    // Generous, so that a busy machine does not turn a confirmed fence into a stopped server; the fence itself does not wait for it.
    private static Instant Soon => BootClock.Now + TimeSpan.FromSeconds(15);

    // Short, for the fences that cannot be confirmed and end with the server stopped.
    private static Instant Shortly => BootClock.Now + TimeSpan.FromSeconds(1.5);

    public void Dispose()
    {
        _owned.ForEach(one => one.Dispose());
        _server.Dispose();
    }

    [Fact]
    public void Clients_are_ended_and_replication_exempt_users_and_local_sessions_stay()
    {
        using var standby = _server.StartStandby("127.30.4.2");
        var clients = new[] { Connect("app"), Connect("app"), Connect("postgres") };
        using var inTransaction = new NpgsqlCommand("begin; insert into t values (1)", clients[1]);
        inTransaction.ExecuteNonQuery();
        var stay = new[] { Connect("repmgr"), _server.Connect() };
        Eventually.True(() => _server.Query("select count(*) from pg_stat_replication where state = 'streaming'") == "1", "the standby streams");
        var sender = _server.Query("select pid from pg_stat_replication");

        var result = Fencer().Fence(new Term(3), Soon, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal((PostmasterStop.None, 3, 0), (result.Stop, result.SessionsEnded, result.SessionsLeft));
        Assert.All(clients, client => Assert.False(Works(client)));
        Assert.All(stay, session => Assert.True(Works(session)));
        Assert.Equal(sender, _server.Query("select pid from pg_stat_replication where state = 'streaming'"));
        Assert.Throws<PostgresException>(() => Connect("app"));
        Assert.NotEqual(TimeSpan.Zero, result.UntilSignal);
        Assert.True(result.UntilSignal <= result.UntilShut && result.UntilShut <= result.UntilEmpty && result.UntilEmpty <= result.Took);
    }

    /// <summary>For a planned move: the shutdown begins with the fence, and the standby still gets everything, the last checkpoint included.</summary>
    [Fact]
    public void A_fence_before_a_stop_begins_the_shutdown_and_spares_the_wal_sender()
    {
        using var standby = _server.StartStandby("127.30.4.2");
        var clients = new[] { Connect("app"), Connect("app"), Connect("repmgr") };
        Eventually.True(() => _server.Query("select count(*) from pg_stat_replication where state = 'streaming'") == "1", "the standby streams");
        using var halfway = Tcp();
        halfway.Send(Startup("slow"));

        // No listing is to be had from a server that is stopping: titles decide, as they do where the processors are busy.
        var result = Fencer(new FenceSettings { AskSessions = TimeSpan.Zero }).Fence(new Term(3), Soon, "test", beginsStop: true);

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal((PostmasterStop.None, 0), (result.Stop, result.SessionsLeft));
        Assert.All(clients, client => Assert.False(Works(client)));
        Assert.ThrowsAny<NpgsqlException>(() => Connect("app"));
        var stopped = new ServerProcess(Settings).Stop(Soon);
        Assert.True(stopped.IsDone, stopped.Detail);
        Eventually.True(
            () => standby.Query($"select (pg_last_wal_receive_lsn() >= '{stopped.End}')::text") == "true",
            "the standby has everything");
        _server.Start();
        Assert.Throws<PostgresException>(() => Connect("app"));
    }

    /// <summary>A postmaster removes its pid file, and ends a moment later: until then whoever looks takes it for a server that somebody started.</summary>
    [Fact]
    public void A_stop_is_over_when_the_process_is_not_when_its_pid_file_is()
    {
        var process = new ServerProcess(Settings);
        process.Find(Soon);
        var postmaster = ProcessFacts.Of(_server.PostmasterPid)!.Value;
        File.Delete(Path.Combine(_server.DataDirectory, "postmaster.pid"));
        using var later = new Timer(_ => Kernel.Kill(postmaster.Pid, Kernel.SigInt), null, TimeSpan.FromMilliseconds(300), Timeout.InfiniteTimeSpan);

        var stopped = process.Stop(Soon);

        Assert.True(stopped.IsDone, stopped.Detail);
        Assert.True(ProcessFacts.Of(postmaster.Pid) is not { IsGone: false } now || !now.IsSameAs(postmaster));
    }

    [Fact]
    public void A_start_whose_time_is_over_starts_nothing()
    {
        var process = new ServerProcess(Settings);
        process.Find(Soon);
        _server.Stop();

        var started = process.Start(isStandby: false, BootClock.Now, static () => false);

        Assert.False(started.IsDone, started.Detail);
        Assert.False(File.Exists(Path.Combine(_server.DataDirectory, "postmaster.pid")));
    }

    [Fact]
    public void A_login_under_way_does_not_slip_in()
    {
        using var silent = Tcp();
        using var halfway = Tcp();
        halfway.Send(Startup("slow"));
        var request = new byte[13];
        Assert.Equal(13, halfway.Receive(request));
        Assert.Equal((byte)'R', request[0]);
        Eventually.True(() => Children().Count(title => title.Contains("authentication", StringComparison.Ordinal) || !title.StartsWith("postgres: ", StringComparison.Ordinal)) >= 2, "both are forked");

        var result = Fencer().Fence(new Term(3), Soon, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal(PostmasterStop.None, result.Stop);
        Assert.Equal(0, ReadToEnd(halfway, send: PgChannel.Message('p', "md5whatever")));
        Assert.Equal(0, ReadToEnd(silent, send: Startup("app")));
    }

    /// <summary>By this a fence knows a login without a title from the startup process, which must not be told to go.</summary>
    [Fact]
    public void Only_a_connection_has_a_socket_of_its_own()
    {
        using var standby = _server.StartStandby("127.30.4.2");
        using var silent = Tcp();
        var login = 0;
        Eventually.True(
            () => (login = ServerSessions.LivingChildren(_server.PostmasterPid).FirstOrDefault(child => !ProcessFacts.TitleOf(child.Pid).StartsWith("postgres: ", StringComparison.Ordinal)).Pid) > 0,
            "the login is forked");

        Assert.True(ProcessFacts.HasSocketBeside(login, _server.PostmasterPid));
        var startup = Assert.Single(ServerSessions.LivingChildren(standby.PostmasterPid), child => ProcessFacts.TitleOf(child.Pid).Contains("startup", StringComparison.Ordinal));
        Assert.False(ProcessFacts.HasSocketBeside(startup.Pid, standby.PostmasterPid));
    }

    [Fact]
    public void No_write_is_acknowledged_after_a_fence_under_a_storm_of_clients()
    {
        using var stop = new CancellationTokenSource();
        var lastAcknowledged = new long[6];
        var fencer = Fencer();
        var writers = Enumerable.Range(0, lastAcknowledged.Length).Select(i => new Thread(() => Write(i, lastAcknowledged, stop.Token))).ToList();
        writers.ForEach(writer => writer.Start());
        Eventually.True(() => lastAcknowledged.All(at => at > 0), "every writer writes");

        var result = fencer.Fence(new Term(3), Soon, "test");
        var fencedAt = BootClock.Now;
        Thread.Sleep(200);
        stop.Cancel();
        writers.ForEach(writer => writer.Join());

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal(PostmasterStop.None, result.Stop);
        Assert.All(lastAcknowledged, at => Assert.True(at <= fencedAt.Nanos, "a write was acknowledged after the fence"));
        var count = _server.Query("select count(*) from t");
        Thread.Sleep(50);
        Assert.Equal(count, _server.Query("select count(*) from t"));
    }

    [Fact]
    public void A_session_that_cannot_end_costs_the_server_and_not_the_fence()
    {
        using var client = Connect("app");
        var pid = client.ProcessID;
        Files.Command.Run("kill", "-STOP", $"{pid}");

        var result = Fencer().Fence(new Term(3), Shortly, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal(PostmasterStop.Killed, result.Stop);
        AllGone();
    }

    [Fact]
    public void A_stopped_postmaster_is_killed_with_all_its_sessions()
    {
        var fencer = Fencer();
        using var client = Connect("app");
        _server.Signal("STOP");

        var result = fencer.Fence(new Term(3), Shortly, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal(PostmasterStop.Killed, result.Stop);
        Assert.False(Works(client));
        AllGone();
        _server.Start();
        Assert.Throws<PostgresException>(() => Connect("app"));
    }

    [Fact]
    public void Without_the_right_to_stop_it_the_fence_says_that_it_does_not_hold()
    {
        var fencer = Fencer(new FenceSettings { StopWhenUnconfirmed = false });
        using var client = Connect("app");
        _server.Signal("STOP");

        var result = fencer.Fence(new Term(3), Shortly, "test");

        _server.Signal("CONT");
        Assert.False(result.IsConfirmed);
        Assert.Equal(PostmasterStop.None, result.Stop);
        Assert.False(Works(client));
        Eventually.True(() => _server.Query("select 1") == "1", "the server lives");
    }

    [Fact]
    public void A_file_that_PostgreSQL_does_not_load_is_no_fence()
    {
        var fencer = Fencer();
        _server.WriteHba(Operators + "nonsense\n");

        var result = fencer.Fence(new Term(3), Soon, "test");

        Assert.True(result.IsConfirmed);
        Assert.Equal(PostmasterStop.Immediate, result.Stop);
        Assert.Contains("would not load", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_that_outlive_a_killed_postmaster_are_killed()
    {
        var fencer = Fencer();
        using var busy = Connect("app");
        using var command = new NpgsqlCommand("select count(*) from generate_series(1, 1000000000000)", busy) { CommandTimeout = 0 };
        var running = command.ExecuteScalarAsync();
        Eventually.True(() => _server.Query("select count(*) from pg_stat_activity where state = 'active' and usename = 'app'") == "1", "the statement runs");
        _server.Signal("KILL");

        var result = fencer.Fence(new Term(3), Soon, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        AllGone();
        Assert.ThrowsAny<NpgsqlException>(() => running.GetAwaiter().GetResult());
        Assert.Equal(Gate.Fenced, new HbaGate(Settings, _policy).Inspect().OnDisk?.Gate);
    }

    [Fact]
    public void A_server_that_is_down_is_fenced_on_disk()
    {
        _server.Stop();

        var result = Fencer().Fence(new Term(3), Soon, "boot");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal((PostmasterStop.None, Gate.Fenced, new Term(3)), (result.Stop, result.Hba!.Gate, result.Hba.Term));
        _server.Start();
        Assert.Throws<PostgresException>(() => Connect("app"));
    }

    [Fact]
    public void A_foreign_process_that_postmaster_pid_names_is_never_signalled()
    {
        _server.Stop();
        using var innocent = Process.Start("sleep", "600");
        File.WriteAllText(Path.Combine(_server.DataDirectory, "postmaster.pid"), $"{innocent.Id}\n{_server.DataDirectory}\n");
        try
        {
            var result = Fencer().Fence(new Term(3), Soon, "test");

            Assert.True(result.IsConfirmed, result.Detail);
            Assert.False(innocent.HasExited);
        }
        finally
        {
            innocent.Kill();
            File.Delete(Path.Combine(_server.DataDirectory, "postmaster.pid"));
        }
    }

    [Fact]
    public void Scope_checks_leaves_sessions_alone()
    {
        using var client = Connect("app");

        var result = Fencer(policy: _policy with { Scope = FenceScope.Checks }).Fence(new Term(3), Soon, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal((PostmasterStop.None, 0), (result.Stop, result.SessionsEnded));
        Assert.True(Works(client));
        Assert.True(Works(Connect("app")));
        Assert.Throws<PostgresException>(() => Connect("harw"));
    }

    [Fact]
    public void A_second_fence_finds_nothing_to_do()
    {
        var fencer = Fencer();
        Assert.True(fencer.Fence(new Term(3), Soon, "test").IsConfirmed);

        var again = fencer.Fence(new Term(3), Soon, "test");

        Assert.True(again.IsConfirmed, again.Detail);
        Assert.Equal((HbaOutcome.AlreadySo, 0, PostmasterStop.None), (again.Hba!.Outcome, again.SessionsEnded, again.Stop));
    }

    [Fact]
    public void Titles_alone_decide_where_the_server_gives_no_listing()
    {
        var stay = new[] { Connect("repmgr"), _server.Connect() };
        using var client = Connect("app");

        var result = Fencer(new FenceSettings { AskSessions = TimeSpan.Zero }).Fence(new Term(3), Soon, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal(PostmasterStop.None, result.Stop);
        Assert.False(Works(client));
        Assert.All(stay, session => Assert.True(Works(session)));
    }

    [Fact]
    public void A_hundred_sessions_are_ended()
    {
        var clients = Enumerable.Range(0, 100).Select(_ => Connect("app")).ToList();

        var result = Fencer().Fence(new Term(3), Soon, "test");

        Assert.True(result.IsConfirmed, result.Detail);
        Assert.Equal((100, 0), (result.SessionsEnded, result.SessionsLeft));
        Assert.All(clients, client => Assert.False(Works(client)));
    }

    private PostgresSettings Settings => new()
    {
        Host = _server.Folder,
        Port = _server.Port,
        User = "postgres",
        DataDirectory = _server.DataDirectory,
        HbaPath = _server.HbaPath,
    };

    private Fencer Fencer(FenceSettings? settings = null, HbaPolicy? policy = null)
    {
        var gate = new HbaGate(Settings, policy ?? _policy);
        var fencer = new Fencer(Settings, gate, settings ?? new FenceSettings());
        _owned.AddRange([gate, fencer]);
        fencer.Rehearse(Soon);
        return fencer;
    }

    private NpgsqlConnection Connect(string user)
    {
        var connection = _server.Connect(user, overTcp: true);
        _owned.Add(connection);
        return connection;
    }

    private static bool Works(NpgsqlConnection connection)
    {
        try
        {
            using var command = new NpgsqlCommand("select 1", connection);
            return command.ExecuteScalar() is 1;
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException)
        {
            return false;
        }
    }

    private void Write(int writer, long[] lastAcknowledged, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var connection = _server.Connect("app", overTcp: true);
                using var command = new NpgsqlCommand("insert into t values (1)", connection);
                for (var i = 0; i < 5; i++)
                {
                    // The moment before the write counts: what is acknowledged after the fence began may have been done before it ended.
                    var before = BootClock.Now.Nanos;
                    command.ExecuteNonQuery();
                    Volatile.Write(ref lastAcknowledged[writer], before);
                }
            }
            catch (NpgsqlException)
            {
                // The client tries again at once, as clients do.
            }
        }
    }

    private Socket Tcp()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 15_000 };
        socket.Connect(new IPEndPoint(IPAddress.Parse(_server.Address), _server.Port));
        return socket;
    }

    private static byte[] Startup(string user)
    {
        var body = System.Text.Encoding.ASCII.GetBytes($"\0\u0003\0\0user\0{user}\0database\0postgres\0\0");
        return [.. BitConverter.GetBytes(IPAddress.HostToNetworkOrder(body.Length + 4)), .. body];
    }

    // How many bytes of a successful login come: none, because the server is gone from the other end.
    private static int ReadToEnd(Socket socket, byte[] send)
    {
        try
        {
            socket.Send(send);
            var all = 0;
            var buffer = new byte[4096];
            for (var count = socket.Receive(buffer); count > 0; count = socket.Receive(buffer))
            {
                all += buffer[0] == (byte)'R' ? count : 0;
            }

            return all;
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
            return 0;
        }
    }

    private List<string> Children() => [.. ServerSessions.LivingChildren(_server.PostmasterPid).Select(child => ProcessFacts.TitleOf(child.Pid))];

    // A killed process runs no code any more and may still be seen for a moment while the kernel takes it down.
    private void AllGone() => Eventually.True(() => !_server.OwnProcesses().Any(pid => ProcessFacts.Of(pid) is { IsGone: false }), "no process of the server is left");
}
