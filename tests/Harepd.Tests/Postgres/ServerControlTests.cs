using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres;
using Harepd.Postgres.Control;
using Harepd.Postgres.Linux;
using Npgsql;
using Xunit;

namespace Harepd.Tests.Postgres;

/// <summary>Orders to a real standby: promote, and follow.</summary>
public sealed class ServerControlTests : IDisposable
{
    private const int Stand = 19;
    private const int GoOn = 18;
    private const int Promote = 12;
    private static readonly TimelinePoint _first = new(1, default);

    private readonly TestServer _primary = TestServer.Start("127.30.7.1");
    private readonly TestServer _standby;
    private readonly string _runDir = Directory.CreateTempSubdirectory("harepd-run-").FullName;

    public ServerControlTests() => _standby = _primary.StartStandby("127.30.7.2", "max_standby_streaming_delay = -1");

    public void Dispose()
    {
        _standby.Dispose();
        _primary.Dispose();
        Directory.Delete(_runDir, recursive: true);
    }

    [Fact]
    public void A_standby_is_promoted_in_time_only_and_the_next_run_of_the_daemon_knows_of_it()
    {
        var control = Control(_standby);

        Assert.False(control.Promote(_first, () => true).IsDone);
        Assert.False(control.WasToldToPromote());
        Assert.Equal("True", _standby.Query("select pg_is_in_recovery()"));

        Assert.True(control.Promote(_first, () => false).IsDone);
        Assert.True(Control(_standby).WasToldToPromote());
        Eventually.True(() => _standby.Query("select pg_is_in_recovery()") == "False", "the standby is promoted");
        Assert.False(control.Promote(_first, () => false).IsDone);

        // Another run of the server was told nothing.
        _standby.Stop();
        _standby.Start();
        Assert.False(control.WasToldToPromote());
    }

    [Fact]
    public void A_primary_is_not_told_and_the_room_says_so() =>
        Assert.Contains("no standby", Control(_primary).Promote(_first, () => false).Detail, StringComparison.Ordinal);

    [Fact]
    public void A_reader_that_keeps_replay_waiting_does_not_keep_the_promotion_waiting()
    {
        _primary.Query("create table t as select i from generate_series(1, 1000) i");
        Eventually.True(() => _standby.Query("select to_regclass('t') is not null") == "True", "the table arrives");
        using var reader = _standby.Connect();
        using (var begin = new NpgsqlCommand("begin isolation level repeatable read; select count(*) from t", reader))
        {
            begin.ExecuteNonQuery();
        }

        // The lock of the drop conflicts with the reader's, and replay waits for it for ever.
        _primary.Query("drop table t");
        Eventually.True(
            () => _standby.Query("select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.backend_type = 'startup' and not l.granted") != "0",
            "replay waits for the reader");
        _primary.Stop("immediate");
        var control = Control(_standby);

        Assert.True(control.Promote(_first, () => false).IsDone);
        Assert.Equal(1, control.ClearTheWay(BootClock.Now + TimeSpan.FromSeconds(30), () => false));
        Assert.Equal("False", _standby.Query("select pg_is_in_recovery()"));
    }

    /// <summary>
    /// Told to promote while it waits for its walreceiver to start, PostgreSQL takes the stream for failed and sleeps until its next attempt, and the promotion with it. The
    /// moment is short, so it is made here by a postmaster that stands still.
    /// </summary>
    [Fact]
    public void A_startup_process_that_sleeps_over_its_promotion_is_woken()
    {
        _standby.Query("alter system set wal_retrieve_retry_interval = '10min'");
        _standby.Query("select pg_reload_conf()");
        var control = Control(_standby);
        Assert.True(control.GetReady());
        using var look = _standby.Connect();
        var startup = int.Parse(Ask("select pid from pg_stat_activity where backend_type = 'startup'"), CultureInfo.InvariantCulture);
        using var postmaster = Postmaster.OfFolder(_standby.DataDirectory, out _)!;
        postmaster.Signal(Stand);
        try
        {
            _primary.Stop("immediate");
            Eventually.True(() => Ask("select count(*) from pg_stat_activity where backend_type = 'walreceiver'") == "0", "the walreceiver is gone");
            Eventually.True(() => Ask("select wait_event from pg_stat_activity where backend_type = 'startup'") == "RecoveryWalStream", "the startup process waits for the next one");
            Thread.Sleep(300);
            Assert.True(control.Promote(_first, () => false).IsDone);
            Assert.Equal(0, Kernel.Kill(startup, Promote));
            Eventually.True(() => Ask("select wait_event from pg_stat_activity where backend_type = 'startup'") == "RecoveryRetrieveRetryInterval", "it sleeps");
        }
        finally
        {
            postmaster.Signal(GoOn);
        }

        Assert.Equal(0, control.ClearTheWay(BootClock.Now + TimeSpan.FromSeconds(30), () => false));
        Eventually.True(() => Ask("select pg_is_in_recovery()") == "False", "the standby is promoted");

        string Ask(string sql)
        {
            using var command = new NpgsqlCommand(sql, look);
            return command.ExecuteScalar()?.ToString() ?? "";
        }
    }

    [Fact]
    public void A_standby_told_to_follow_another_server_streams_from_it()
    {
        using var third = _primary.StartStandby("127.30.7.3");
        Assert.True(Control(_standby).Promote(_first, () => false).IsDone);
        Eventually.True(() => _standby.Query("select pg_is_in_recovery()") == "False", "the standby is promoted");
        _primary.Stop("immediate");
        var control = Control(third);

        Assert.Contains("from now on", control.Follow(_standby.Address, _standby.Port).Detail, StringComparison.Ordinal);
        Assert.Contains("already", control.Follow(_standby.Address, _standby.Port).Detail, StringComparison.Ordinal);

        _standby.Query("create table arrived ()");
        Eventually.True(() => third.Query("select to_regclass('arrived') is not null") == "True", "the third server follows");
        Assert.Contains("no standby", Control(_standby).Follow(third.Address, third.Port).Detail, StringComparison.Ordinal);
    }

    private ServerControl Control(TestServer server) => new(
        new PostgresSettings
        {
            Host = server.Folder,
            Port = server.Port,
            User = "postgres",
            DataDirectory = server.DataDirectory,
            HbaPath = server.HbaPath,
            HangTimeout = TimeSpan.FromSeconds(20),
        },
        _runDir);
}
