using System.Globalization;
using Harepd.Tests.Postgres;
using Npgsql;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Haproxy;

/// <summary>
/// What HAProxy and PostgreSQL do that a daemon must not stumble over: each a fact about the real parts, and what the lane makes of it.
/// A fact that changes with a version is a test that fails, and a rule here that may go.
/// </summary>
public sealed class HaproxyTrapTests(ITestOutputHelper output) : IDisposable
{
    private readonly NamedServer _a = new("a");
    private readonly NamedServer _b = new("b");

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public async Task A_dead_server_left_ready_keeps_clients_in_retries_and_the_cut_ends_that()
    {
        _a.Stop();
        using var haproxy = new RealHaproxy(self => $"""
            listen wr
              bind {self.Write}
              retries 100
              {_a.Config}
              {_b.Config} disabled
            listen rd
              bind {self.Read}
              {_b.Config}
            """);
        var clients = Enumerable.Range(0, 3)
            .Select(_ => Task.Factory.StartNew(() => Caller.Ask(haproxy.Write), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            .ToList();
        TestNet.Eventually(() => Stat(haproxy, "a", 15) > 3, "HAProxy retries");
        Assert.All(clients, client => Assert.False(client.IsCompleted));

        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Cut(1));

        Assert.All(await Task.WhenAll(clients).WaitAsync(TimeSpan.FromSeconds(20)), Assert.Null);
    }

    [Fact]
    public void An_address_set_by_command_is_lost_over_a_reload_even_with_a_state_file()
    {
        var state = Path.Combine(Path.GetTempPath(), $"harepd-state-{Guid.NewGuid():N}");
        File.WriteAllText(state, "1\n");
        try
        {
            using var haproxy = new RealHaproxy(
                self => $"listen wr\n  bind {self.Write}\n  load-server-state-from-file global\n  {_a.Config}\n", $"server-state-file {state}");
            haproxy.Command($"set server wr/a addr {_b.Address} port {_b.Port}");
            Assert.Equal("b", Caller.Ask(haproxy.Write));

            File.WriteAllText(state, haproxy.Command("show servers state"));
            haproxy.Reload();

            Assert.NotEqual("b", Caller.Ask(haproxy.Write));
        }
        finally
        {
            File.Delete(state);
        }
    }

    [Fact]
    public async Task A_cut_does_not_stop_a_statement_that_runs_and_the_server_can_be_told_to_notice()
    {
        using var server = TestServer.Start("127.60.8.1");
        server.WriteHba("local all all trust\nhost all all 127.0.0.0/8 trust\n");
        server.Query("select pg_reload_conf()");
        server.Query("create table kept (id int)");
        using var haproxy = RealHaproxy.WithServers($"server a {server.Address}:{server.Port}");
        using var bench = new LaneBench(haproxy.Socket);

        await RunInto(1, "");
        Eventually.True(() => server.Query("select count(*) from kept where id = 1") == "1", "the cut client's row is there all the same");

        await RunInto(2, "set client_connection_check_interval = '100ms';");
        Eventually.True(() => server.Query("select count(*) from pg_stat_activity where query like 'insert%'") == "0", "the server notices");
        Assert.Equal("0", server.Query("select count(*) from kept where id = 2"));

        async Task RunInto(int id, string before)
        {
            bench.Do(LaneBench.Write(id * 2));
            await using var connection = new NpgsqlConnection($"Host={haproxy.Write.Address};Port={haproxy.Write.Port};Username=postgres;Database=postgres;Pooling=false;Timeout=15");
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand($"{before} insert into kept select {id} from pg_sleep({(id == 1 ? 1 : 15)})", connection);
            var running = command.ExecuteNonQueryAsync();
            Eventually.True(() => server.Query("select count(*) from pg_stat_activity where state = 'active' and wait_event = 'PgSleep'") == "1", "it runs");
            bench.Do(LaneBench.Cut(id * 2 + 1));
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => running);
        }
    }

    [Fact]
    public void The_pgsql_check_takes_any_question_for_a_password_as_up_and_a_full_server_as_down()
    {
        using var server = TestServer.Start("127.60.8.2", "max_connections = 12", "superuser_reserved_connections = 3", "max_wal_senders = 0", "wal_level = replica");
        server.Query("create role nologin nologin");
        server.Query("create role fine login");
        server.WriteHba("local all all trust\nhost all refused all reject\nhost all missing,nologin,fine all md5\n");
        server.Query("select pg_reload_conf()");
        string[] users = ["missing", "nologin", "fine", "refused", "stranger"];
        using var haproxy = new RealHaproxy(self => string.Join("\n", users.Select((user, i) => $"""
            listen {user}
              bind {self.Write.Address}:{TestNet.FreePort(self.Write.Address)}
              option pgsql-check user {user}
              server s {server.Address}:{server.Port} check inter 100ms fall 1 rise 1
            """)));

        Await("missing UP, nologin UP, fine UP, refused DOWN, stranger DOWN");
        var sessions = new List<NpgsqlConnection>();
        try
        {
            // The three last slots are kept for superusers: ordinary ones are all taken now.
            Fill(server, sessions, "fine");
            output.WriteLine($"{sessions.Count} ordinary sessions");
            Await("missing UP, nologin UP, fine UP, refused DOWN, stranger DOWN");

            Fill(server, sessions, "postgres");
            output.WriteLine($"{sessions.Count} sessions");
            Await("missing DOWN, nologin DOWN, fine DOWN, refused DOWN, stranger DOWN");
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }

        Await("missing UP, nologin UP, fine UP, refused DOWN, stranger DOWN");

        void Await(string states) => TestNet.Eventually(() => States() == states, () => $"{states}; now {States()}");

        string States() => string.Join(", ", users.Select(user => $"{user} {Status(haproxy, user)}"));
    }

    [Fact]
    public void An_operators_maint_on_the_rightful_primary_is_respected_and_shown_until_he_lifts_it()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        var looks = 0;
        using var relay = FakeEndpoint.Relay(haproxy, _ => Interlocked.Increment(ref looks));
        using var bench = new LaneBench(relay.Path, reconcileMs: 10);
        bench.Do(LaneBench.Write(1));

        haproxy.Command("set server wr/a state maint");
        var shown = bench.Await(a => a is { Ok: true, Serving: false });
        Assert.Contains("an operator keeps it out", shown.Detail, StringComparison.Ordinal);
        var seen = Volatile.Read(ref looks);
        TestNet.Eventually(() => Volatile.Read(ref looks) > seen + 10, "more looks");
        Assert.Equal(1, haproxy.Admin("wr", "a"));

        // What would open a wrong gate is undone meanwhile.
        haproxy.Command("set server wr/b state ready");
        TestNet.Eventually(() => haproxy.Admin("wr", "b") == 1, "the rival is cut again");
        Assert.Equal(1, haproxy.Admin("wr", "a"));

        haproxy.Command("set server wr/a state ready");
        TestNet.Eventually(() => bench.Applied[^1] is { Ok: true, Serving: true }, "it serves again, and says so");
        haproxy.Command("set server wr/a state drain");
        TestNet.Eventually(() => bench.Applied[^1] is { Ok: true, Serving: false }, "drained by the operator");

        bench.Do(LaneBench.Write(2));
        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public void A_reload_in_the_middle_of_a_failover_ends_in_the_right_state_sessions_of_the_old_worker_included()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var old = new LaneBench($"unix:{haproxy.Socket},master:unix:{haproxy.Master}", reconcileMs: 250);
        using var next = new LaneBench($"unix:{haproxy.Socket},master:unix:{haproxy.Master}", server: "b", reconcileMs: 250);
        old.Do(LaneBench.Write(1));
        next.Do(LaneBench.Cut(1));
        var sessions = Enumerable.Range(0, 20).Select(_ => new Caller(haproxy.Write)).ToList();
        Assert.All(sessions, session => Assert.Equal("a", session.Server));

        // The configuration says that a is open: the new worker begins wrong, and a session may begin there too.
        var begun = System.Diagnostics.Stopwatch.StartNew();
        RealHaproxy.Signal(haproxy.Pid, "USR2");
        old.Lane.CutNow(LaneBench.In(5));
        next.Lane.Desire(LaneBench.Write(2));

        sessions.ForEach(session => session.WaitEnd());
        TestNet.Eventually(() => haproxy.Command("show servers state wr") is { Length: > 0 } && haproxy.Admin("wr", "a") == 1 && (haproxy.Admin("wr", "b") & 1) == 0, "the routes are right");
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) == "b", "clients are on the new server");
        output.WriteLine($"right after {begun.ElapsedMilliseconds} ms");
        TestNet.Eventually(() => Caller.Ask(haproxy.Write) == "b" && haproxy.Admin("wr", "a") == 1, "and stay there");
        sessions.ForEach(session => session.Dispose());
    }

    private static void Fill(TestServer server, List<NpgsqlConnection> sessions, string user)
    {
        // HAProxy's checks come and go and take a slot meanwhile, so a refusal counts only when it comes again and again.
        for (var refusals = 0; refusals < 20;)
        {
            try
            {
                sessions.Add(server.Connect(user));
                refusals = 0;
            }
            catch (PostgresException refused) when (refused.SqlState == "53300")
            {
                refusals++;
                Thread.Sleep(10);
            }
        }
    }

    private static string Status(RealHaproxy haproxy, string backend) => Row(haproxy, backend, "s")[17].Split(' ')[0];

    private static int Stat(RealHaproxy haproxy, string server, int column) => int.Parse(Row(haproxy, "wr", server)[column], CultureInfo.InvariantCulture);

    private static string[] Row(RealHaproxy haproxy, string backend, string server) =>
        haproxy.Command($"show stat {backend} 4 -1")!.Split('\n').Select(l => l.Split(',')).First(f => f.Length > 20 && f[1] == server);
}
