using Harepd.Core.Observe;
using Harepd.Postgres.Watch;
using Harepd.Tests.Files;
using Harepd.Tests.Postgres;
using Npgsql;
using Xunit;

namespace Harepd.Tests.Watch;

/// <summary>Down is not hung is not full is not unable to write.</summary>
public sealed class WatcherHealthTests
{
    [Fact]
    public void A_stopped_postmaster_is_hung_although_old_sessions_answer_and_well_when_it_goes_on()
    {
        using var server = TestServer.Start("127.60.4.1");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);
        server.Signal("STOP");
        try
        {
            var hung = record.Until(ServerHealth.Hung);
            Assert.False(hung.InRecovery);
            Assert.Empty(record.Deaths);
        }
        finally
        {
            server.Signal("CONT");
        }

        record.Until(ServerHealth.Running);
    }

    [Fact]
    public void A_server_that_hangs_from_the_start_is_hung()
    {
        using var server = TestServer.Start("127.60.4.2");
        server.Signal("STOP");
        using var record = WatchRecord.Of(server);
        try
        {
            Assert.Null(record.Until(ServerHealth.Hung).InRecovery);
        }
        finally
        {
            server.Signal("CONT");
        }

        record.Until(ServerHealth.Running);
    }

    [Fact]
    public void A_server_with_every_slot_taken_is_alive()
    {
        using var server = TestServer.Start("127.60.4.3", "max_connections = 12", "superuser_reserved_connections = 0", "max_wal_senders = 0");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);
        var sessions = new List<NpgsqlConnection>();
        try
        {
            Fill(server, sessions);
            var full = record.Until(ServerHealth.SlotsFull);
            Assert.False(full.InRecovery);

            // A watcher that comes late finds no slot and still does not call the server dead.
            using var late = WatchRecord.Of(server);
            Assert.Null(late.Until(ServerHealth.SlotsFull).InRecovery);
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }

        record.Until(ServerHealth.Running);
    }

    [Fact]
    public void A_server_that_refuses_sessions_is_starting()
    {
        using var server = TestServer.Start("127.60.4.4");
        server.Stop();
        File.WriteAllText(Path.Combine(server.DataDirectory, "standby.signal"), "");
        Command.Run("chown", "postgres:postgres", Path.Combine(server.DataDirectory, "standby.signal"));
        File.AppendAllText(Path.Combine(server.DataDirectory, "postgresql.auto.conf"), "hot_standby = off\n");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.StoppedCleanly);

        Command.Run("runuser", "-u", "postgres", "--", "/usr/lib/postgresql/15/bin/pg_ctl", "-D", server.DataDirectory, "-W", "-l", Path.Combine(server.Folder, "log"), "start");

        Assert.Contains("57P03", record.Next(seen => seen.Health == ServerHealth.Starting && seen.Detail.Contains("57P03", StringComparison.Ordinal), "57P03 is seen").Detail, StringComparison.Ordinal);
        Assert.Empty(record.Deaths);
    }

    [Fact]
    public void A_wrong_password_is_no_illness_of_the_server_and_is_mended_without_a_restart()
    {
        using var server = TestServer.Start("127.60.4.5");
        server.Query("create role watcher login password 'right'");
        server.WriteHba("local all watcher scram-sha-256\nlocal all all trust\n");
        server.Query("select pg_reload_conf()");
        Eventually.True(() => server.Query("select count(*) from pg_hba_file_rules") == "2", "the file is there");
        using var record = new WatchRecord(WatchRecord.SettingsOf(server) with { User = "watcher", Password = "wrong" });

        var refused = record.Next(seen => seen.Detail.Contains("28P01", StringComparison.Ordinal), "the refusal is seen");
        Assert.Equal(ServerHealth.Unknown, refused.Health);
        Assert.DoesNotContain("wrong", refused.Detail, StringComparison.Ordinal);

        server.Query("alter role watcher password 'wrong'");
        record.Until(ServerHealth.Running);
    }

    [Fact]
    public void A_primary_whose_disk_is_full_cannot_write_and_can_again_when_there_is_room()
    {
        using var server = TestServer.Create("127.60.4.6");
        using var disk = new SmallDisk(server.DataDirectory, megabytes: 120);
        server.Start();
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);

        disk.Fill();
        var full = record.Until(ServerHealth.CannotWrite);
        Assert.Contains("53100", full.Detail, StringComparison.Ordinal);
        Assert.False(full.InRecovery);

        disk.Empty();
        record.Until(ServerHealth.Running);
        server.Stop("immediate");
        record.Until(ServerHealth.Down);
    }

    [Fact]
    public void A_commit_that_waits_for_an_absent_standby_is_no_full_disk()
    {
        using var server = TestServer.Start("127.60.4.7", "synchronous_standby_names = 'nobody'");
        using var record = new WatchRecord(WatchRecord.SettingsOf(server) with { HangTimeout = TimeSpan.FromSeconds(2) });
        record.Until(ServerHealth.Running);

        record.Next(seen => seen.At > record.Seen[0].At + TimeSpan.FromSeconds(3), "the readings go on");

        Assert.All(record.Seen.Where(seen => seen.InRecovery is not null), seen => Assert.Equal(ServerHealth.Running, seen.Health));
        Assert.DoesNotContain("canceling", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_that_are_ended_again_and_again_do_not_end_the_watch()
    {
        using var server = TestServer.Start("127.60.4.8");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);

        for (var i = 0; i < 20; i++)
        {
            server.Query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'harepd%'");
        }

        record.Next(seen => seen is { Health: ServerHealth.Running, InRecovery: false }, "the reading is back");
        Assert.Empty(record.Deaths);
    }

    private static void Fill(TestServer server, List<NpgsqlConnection> sessions)
    {
        // The watch's own fresh connections come and go, so one refusal does not mean that every slot is held here.
        Eventually.True(
            () =>
            {
                try
                {
                    sessions.Add(server.Connect());
                    return false;
                }
                catch (PostgresException refused) when (refused.SqlState == "53300")
                {
                    return sessions.Count >= 11;
                }
            },
            "the slots fill");
    }
}
