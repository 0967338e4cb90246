using System.Diagnostics;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres;
using Harepd.Postgres.Hba;
using Harepd.Postgres.Wire;
using Harepd.Tests.Files;
using Harepd.Tests.Postgres;
using Npgsql;
using Xunit;

namespace Harepd.Tests.Hba;

public sealed class HbaGateTests : IDisposable
{
    private const string Operators = "local all all trust\nhost all all 127.0.0.0/8 trust\nhost replication all 127.0.0.0/8 trust\n";

    private static readonly HbaPolicy _policy = new()
    {
        NodeName = "node_1",
        HaproxyServers = ["127.0.0.1"],
        ReadWriteUser = "harw",
        ReadOnlyUser = "haro",
        ExemptUsers = ["repmgr"],
    };

    private readonly TestServer _server;
    private readonly HbaGate _gate;

    public HbaGateTests()
    {
        _server = TestServer.Create("127.30.3.1", "max_connections = 12");
        _server.WriteHba(Operators);
        _server.Start();
        _server.Query("create role repmgr login; create role app login");
        _gate = Gate(_policy);
    }

    private static Instant Soon => BootClock.Now + TimeSpan.FromSeconds(20);

    public void Dispose()
    {
        _gate.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void A_gate_that_opens_lets_the_check_users_in()
    {
        var opened = _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);
        Assert.Equal((HbaOutcome.Applied, true, ""), (opened.Outcome, opened.IsConfirmed, opened.Reason));
        Assert.Equal(("password", "password", "app"), (Login("harw"), Login("haro"), Login("app")));

        var readOnly = _gate.Apply(Core.Model.Gate.ReadOnly, new Term(5), Soon);
        Assert.Equal((HbaOutcome.Applied, true), (readOnly.Outcome, readOnly.IsConfirmed));
        Assert.Equal(("rejected", "password", "app"), (Login("harw"), Login("haro"), Login("app")));
        Assert.EndsWith(Operators, File.ReadAllText(_server.HbaPath), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fence_keeps_out_every_TCP_client_but_exempt_users_local_sessions_and_replication()
    {
        var shut = _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);

        Assert.Equal((HbaOutcome.Applied, true, ""), (shut.Outcome, shut.IsConfirmed, shut.Reason));
        Assert.Equal(("rejected", "rejected", "rejected", "repmgr"), (Login("harw"), Login("haro"), Login("app"), Login("repmgr")));
        Assert.Equal("postgres", _server.Query("select current_user"));
        Assert.Equal("rejected", Login("app", "database"));
        Assert.Equal("replication", Login("postgres", "true"));
    }

    [Fact]
    public void Scope_checks_flips_the_check_users_alone()
    {
        using var gate = Gate(_policy with { Scope = FenceScope.Checks });

        Assert.True(gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon).IsConfirmed);

        Assert.Equal(("rejected", "rejected", "app"), (Login("harw"), Login("haro"), Login("app")));
    }

    [Fact]
    public void An_order_that_changes_nothing_writes_nothing_and_reloads_nothing()
    {
        _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);
        var facts = FileFacts.Of(_server.HbaPath);
        var reloads = Reloads();

        var again = _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);

        Assert.Equal((HbaOutcome.AlreadySo, true), (again.Outcome, again.IsConfirmed));
        Assert.Equal(facts, FileFacts.Of(_server.HbaPath));
        Assert.Equal(reloads, Reloads());
    }

    [Fact]
    public void A_new_daemon_confirms_by_one_reload_what_stands_there_already()
    {
        _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);
        using var next = Gate(_policy);

        var first = next.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);
        var reloads = Reloads();
        var second = next.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);

        Assert.Equal((HbaOutcome.AlreadySo, true, HbaOutcome.AlreadySo, true), (first.Outcome, first.IsConfirmed, second.Outcome, second.IsConfirmed));
        Assert.Equal(reloads, Reloads());
    }

    [Fact]
    public void A_higher_term_on_disk_refuses_an_opening_and_survives_a_closing()
    {
        _gate.Apply(Core.Model.Gate.ReadOnly, new Term(9), Soon);
        var before = File.ReadAllText(_server.HbaPath);

        var opening = _gate.Apply(Core.Model.Gate.ReadWrite, new Term(8), Soon);
        Assert.Equal((HbaOutcome.Refused, Core.Model.Gate.ReadOnly, new Term(9)), (opening.Outcome, opening.Gate, opening.Term));
        Assert.Contains("term 9", opening.Reason, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(_server.HbaPath));

        var closing = _gate.Apply(Core.Model.Gate.Fenced, new Term(8), Soon);
        Assert.Equal((HbaOutcome.Applied, Core.Model.Gate.Fenced, new Term(9), true), (closing.Outcome, closing.Gate, closing.Term, closing.IsConfirmed));
    }

    [Fact]
    public void An_opening_after_its_time_is_refused()
    {
        var late = _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), BootClock.Now);

        Assert.Equal(HbaOutcome.Refused, late.Outcome);
        Assert.Equal(Operators, File.ReadAllText(_server.HbaPath));
    }

    [Fact]
    public void An_opening_that_turns_out_late_is_shut_again()
    {
        Assert.True(_gate.Warm(Soon));
        _server.Signal("STOP");

        var late = _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), BootClock.Now + TimeSpan.FromMilliseconds(200));

        _server.Signal("CONT");
        Assert.Equal(HbaOutcome.ShutAgain, late.Outcome);
        Assert.Equal(Core.Model.Gate.Fenced, _gate.Inspect().OnDisk?.Gate);
        Eventually.True(() => Login("harw") == "rejected", "the server takes the shut file");
    }

    [Fact]
    public void What_PostgreSQL_would_not_load_is_rolled_back_when_it_opens_and_said_when_it_closes()
    {
        _server.WriteHba(Operators + "host all all 10.0.0.0/8 nonsense\n");

        var opening = _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);
        Assert.Equal(HbaOutcome.RolledBack, opening.Outcome);
        Assert.Contains("line 8", opening.Reason, StringComparison.Ordinal);
        Assert.Equal(Operators + "host all all 10.0.0.0/8 nonsense\n", File.ReadAllText(_server.HbaPath));

        var closing = _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);
        Assert.Equal((HbaOutcome.Applied, false), (closing.Outcome, closing.IsConfirmed));
        Assert.Contains("nonsense", closing.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hostssl_line_without_ssl_is_no_obstacle()
    {
        _server.WriteHba(Operators + "hostssl all all 10.0.0.0/8 md5\n");

        Assert.True(_gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon).IsConfirmed);
    }

    [Fact]
    public void An_empty_file_gets_the_block()
    {
        _server.WriteHba("");
        Assert.True(_gate.Warm(Soon));

        Assert.True(_gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon).IsConfirmed);
        Assert.Equal("rejected", Login("app"));
    }

    [Fact]
    public void A_block_that_the_server_does_not_read_is_not_confirmed()
    {
        var elsewhere = Path.Combine(_server.Folder, "other_hba.conf");
        File.Copy(_server.HbaPath, elsewhere);
        using var gate = new HbaGate(Settings() with { HbaPath = elsewhere }, _policy);

        var result = gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);

        Assert.Equal(HbaOutcome.RolledBack, result.Outcome);
        Assert.Contains("hba_file", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void With_PostgreSQL_down_only_closing_works_and_it_comes_back_shut()
    {
        _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);
        _server.Stop();

        Assert.Equal(HbaOutcome.Refused, _gate.Apply(Core.Model.Gate.ReadWrite, new Term(6), Soon).Outcome);
        var closing = _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);
        Assert.Equal((HbaOutcome.Applied, true), (closing.Outcome, closing.IsConfirmed));

        // The kernel tells start times to the hundredth of a second; a server that starts within the same one is asked instead.
        Thread.Sleep(20);
        _server.Start();
        Assert.Equal("rejected", Login("harw"));
        var again = _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);
        Assert.Equal((HbaOutcome.AlreadySo, true), (again.Outcome, again.IsConfirmed));
        Assert.Equal(0, Reloads(lastStartOnly: true));
    }

    [Fact]
    public void A_clone_of_an_open_block_is_closed_and_rewritten()
    {
        _gate.Apply(Core.Model.Gate.ReadWrite, new Term(50), Soon);
        using var clone = Gate(_policy with { NodeName = "node_2" });

        Assert.Equal(new HbaState(new HbaOnDisk(Core.Model.Gate.Fenced, Term.None, IsForeign: true), false, ""), clone.Inspect());
        var result = clone.Apply(Core.Model.Gate.ReadOnly, new Term(3), Soon);

        Assert.Equal((HbaOutcome.Applied, new Term(3)), (result.Outcome, result.Term));
        Assert.True(clone.Inspect().IsInOrder);
        Assert.Equal("rejected", Login("harw"));
    }

    [Fact]
    public void Full_slots_do_not_keep_the_gate_from_closing()
    {
        Assert.True(_gate.Warm(Soon));
        var sessions = new List<NpgsqlConnection>();
        try
        {
            Assert.Throws<PostgresException>(() => FillSlots(sessions));

            var result = _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);

            Assert.Equal((HbaOutcome.Applied, true, ""), (result.Outcome, result.IsConfirmed, result.Reason));
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }

    [Fact]
    public void A_user_without_rights_is_told_what_to_grant()
    {
        _server.Query("create role harepd login; grant pg_monitor to harepd");
        using var gate = new HbaGate(Settings() with { User = "harepd" }, _policy);

        var result = gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);
        Assert.Equal(HbaOutcome.RolledBack, result.Outcome);
        Assert.Contains("grant select on pg_hba_file_rules", result.Reason, StringComparison.Ordinal);

        _server.Query("grant select on pg_hba_file_rules to harepd; grant execute on function pg_hba_file_rules() to harepd");
        Assert.True(gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon).IsConfirmed);
    }

    [Fact]
    public void A_reload_that_a_broken_postgresql_conf_hides_is_not_confirmed()
    {
        File.AppendAllText(Path.Combine(_server.DataDirectory, "postgresql.conf"), "this is no setting\n");

        var result = _gate.Apply(Core.Model.Gate.Fenced, new Term(5), BootClock.Now + TimeSpan.FromMilliseconds(500));

        Assert.Equal((HbaOutcome.Applied, false), (result.Outcome, result.IsConfirmed));
        Assert.Contains("postgresql.conf", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_writers_lock_stops_an_opening_and_not_a_closing()
    {
        using var holder = Process.Start(new ProcessStartInfo("flock", [_server.DataDirectory, "sh", "-c", "echo held; exec sleep 60"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        holder.StandardOutput.ReadLine();

        var opening = _gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon);
        var closing = _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);

        holder.Kill(entireProcessTree: true);
        Assert.Equal((HbaOutcome.Failed, HbaOutcome.Applied, true), (opening.Outcome, closing.Outcome, closing.IsConfirmed));
        Assert.Contains("lock", opening.Reason, StringComparison.Ordinal);
        Assert.Contains(closing.Notes, note => note.Contains("without the lock", StringComparison.Ordinal));
    }

    [Fact]
    public void The_Go_daemons_lines_are_taken_over_with_a_backup()
    {
        const string theirs = Operators + "host harw harw 127.0.0.1/32 md5\n";
        _server.WriteHba(theirs);

        var result = _gate.Apply(Core.Model.Gate.ReadOnly, new Term(5), Soon);

        Assert.Equal(["host harw harw 127.0.0.1/32 md5"], result.TakenOver);
        Assert.Equal(theirs, File.ReadAllText(result.BackupPath));
        Assert.Equal("postgres 600", Command.Run("stat", "-c", "%U %a", result.BackupPath).Trim());
        Assert.Empty(_gate.Apply(Core.Model.Gate.ReadWrite, new Term(5), Soon).TakenOver);
        Assert.Single(Directory.GetFiles(_server.DataDirectory, "*.harepd-backup-*"));
    }

    [Fact]
    public void A_full_disk_changes_nothing()
    {
        var mount = Path.Combine(_server.Folder, "small");
        Directory.CreateDirectory(mount);
        Command.Run("mount", "-t", "tmpfs", "-o", "size=4k", "harepd-test", mount);
        try
        {
            var path = Path.Combine(mount, "pg_hba.conf");
            File.WriteAllText(path, Operators);
            using var gate = new HbaGate(Settings() with { HbaPath = path }, _policy);

            var result = gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);

            Assert.Equal((HbaOutcome.Failed, false), (result.Outcome, result.IsConfirmed));
            Assert.Contains("No space left", result.Reason, StringComparison.Ordinal);
            Assert.Equal(Operators, File.ReadAllText(path));
        }
        finally
        {
            Command.Run("umount", mount);
        }
    }

    [Fact]
    public void A_missing_file_is_a_reason()
    {
        using var gate = new HbaGate(Settings() with { HbaPath = Path.Combine(_server.Folder, "nowhere", "pg_hba.conf") }, _policy);

        Assert.Equal(HbaOutcome.Failed, gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon).Outcome);
        Assert.NotEqual("", gate.Inspect().Error);
    }

    [Fact]
    public void The_data_folder_is_found_through_the_socket()
    {
        using var gate = new HbaGate(Settings() with { DataDirectory = null }, _policy);

        Assert.True(gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon).IsConfirmed);
    }

    [Fact]
    public void A_reader_never_meets_half_a_file()
    {
        using var stop = new CancellationTokenSource();
        var torn = 0;
        var reads = 0;
        var reader = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                torn += File.ReadAllText(_server.HbaPath).EndsWith(Operators, StringComparison.Ordinal) ? 0 : 1;
                reads++;
            }
        });
        reader.Start();
        for (var i = 0; i < 20; i++)
        {
            Assert.True(_gate.Apply((Gate)(i % 3), new Term(5), Soon).IsDone);
        }

        stop.Cancel();
        reader.Join();
        Assert.Equal(0, torn);
        Assert.True(reads > 20);
    }

    [Fact]
    public void Orders_from_many_threads_leave_one_whole_block()
    {
        using var other = Gate(_policy);
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            (i % 2 == 0 ? _gate : other).Apply((Gate)(i % 3), new Term(5), Soon));

        _gate.Apply(Core.Model.Gate.Fenced, new Term(5), Soon);

        var text = File.ReadAllText(_server.HbaPath);
        Assert.EndsWith("# <<< harepd\n" + Operators, text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("# >>> harepd").Length);
        Assert.Equal("rejected", Login("app"));
    }

    private void FillSlots(List<NpgsqlConnection> sessions)
    {
        while (sessions.Count < 100)
        {
            sessions.Add(_server.Connect());
        }
    }

    private HbaGate Gate(HbaPolicy policy) => new(Settings(), policy);

    private PostgresSettings Settings() => new()
    {
        Host = _server.Folder,
        Port = _server.Port,
        User = "postgres",
        DataDirectory = _server.DataDirectory,
        HbaPath = _server.HbaPath,
    };

    private int Reloads(bool lastStartOnly = false)
    {
        var log = _server.Log;
        log = lastStartOnly ? log[log.LastIndexOf("starting PostgreSQL", StringComparison.Ordinal)..] : log;
        return log.Split("received SIGHUP").Length - 1;
    }

    private string Login(string user, string? replication = null)
    {
        KeyValuePair<string, string>[] settings = replication is null ? [] : [new("replication", replication)];
        var database = user.StartsWith("ha", StringComparison.Ordinal) ? user : "postgres";
        var endpoint = new PgEndpoint { Host = _server.Address, Port = _server.Port, User = user, Database = database, Settings = settings };
        using var session = PgSession.TryOpen(endpoint, Soon, out var fault);
        return session is not null ? (replication is null ? user : "replication")
            : fault!.Message.Contains("rejects", StringComparison.Ordinal) ? "rejected"
            : fault.Kind == PgFaultKind.Protocol ? "password"
            : fault.ToString();
    }
}
