using Harepd.Core.Observe;
using Harepd.Postgres.Watch;
using Harepd.Tests.Files;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Watch;

/// <summary>How the end of a postmaster, and its return, are seen.</summary>
public sealed class WatcherDeathTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_killed_postmaster_is_reported_once_and_its_return_is_seen(bool isFolderKnown)
    {
        using var server = TestServer.Start("127.60.1.1");
        var settings = WatchRecord.SettingsOf(server);
        using var record = new WatchRecord(isFolderKnown ? settings : settings with { DataDirectory = null });
        record.Until(ServerHealth.Running);
        var pid = server.PostmasterPid;

        server.Signal("KILL");

        record.UntilDeaths(1);
        Assert.Contains($"process {pid}", record.Deaths[0], StringComparison.Ordinal);
        var down = record.Until(ServerHealth.Down);
        Assert.Null(down.InRecovery);

        // A connection that is refused may be told first; what the control file says follows.
        Func<ServerObservation, bool> isOfFile = seen => seen.Health == ServerHealth.Down && seen.Detail.Contains("in production", StringComparison.Ordinal);
        Eventually.True(() => record.Seen.Any(isOfFile), "the control file's word on the fall is told");
        Assert.Equal(record.Seen.First(seen => seen.Health == ServerHealth.Running).SystemId, record.Seen.First(isOfFile).SystemId);

        Eventually.True(() => !server.OwnProcesses().Any() && !Directory.Exists($"/proc/{pid}"), "the orphans end and the zombie is taken");
        server.Start();
        Assert.False(record.Until(ServerHealth.Running).InRecovery);
        record.UntilDeaths(1);
    }

    [Fact]
    public void A_server_stopped_in_order_is_told_from_one_that_fell()
    {
        using var server = TestServer.Start("127.60.1.2");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);

        server.Stop();
        record.Until(ServerHealth.StoppedCleanly);
        record.UntilDeaths(1);

        server.Start();
        record.Until(ServerHealth.Running);
        server.Stop("immediate");
        record.Until(ServerHealth.Down);
        record.UntilDeaths(2);
    }

    [Fact]
    public void A_smart_stop_is_not_held_up_by_the_watch()
    {
        using var server = TestServer.Start("127.60.1.3");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);

        server.Stop("smart");

        record.Until(ServerHealth.StoppedCleanly);
        Assert.Contains(record.Seen, seen => seen.Health == ServerHealth.Starting);
    }

    [Fact]
    public void A_death_is_reported_while_a_statement_hangs()
    {
        using var server = TestServer.Start("127.60.1.4");
        using var record = new WatchRecord(WatchRecord.SettingsOf(server) with { HangTimeout = TimeSpan.FromMinutes(5) });
        record.Until(ServerHealth.Running);
        var session = int.Parse(server.Query("select pid from pg_stat_activity where application_name = 'harepd watch'"));
        Command.Run("kill", "-STOP", $"{session}");
        var count = record.Seen.Count;
        Eventually.True(() => Settled(record, ref count), "the reading hangs");

        server.Signal("KILL");

        record.UntilDeaths(1);
        record.Until(ServerHealth.Down);
    }

    [Fact]
    public void A_server_that_is_not_there_yet_is_seen_when_it_comes()
    {
        using var server = TestServer.Create("127.60.1.5");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.StoppedCleanly);
        record.Next(_ => true, "the reading is repeated");
        record.Watcher.SetPace(WatchPace.Alarmed);

        server.Start();

        record.Until(ServerHealth.Running);
        Assert.Empty(record.Deaths);
    }

    [Fact]
    public void A_server_whose_folder_nobody_knows_is_down_until_it_comes()
    {
        using var server = TestServer.Create("127.60.1.6");
        using var record = new WatchRecord(WatchRecord.SettingsOf(server) with { DataDirectory = null });
        Assert.True(record.Until(ServerHealth.Down).SystemId.IsUnknown);

        server.Start();
        record.Until(ServerHealth.Running);
        server.Stop();

        record.Until(ServerHealth.StoppedCleanly);
        record.UntilDeaths(1);
    }

    [Fact]
    public void An_idle_session_shows_the_death_of_a_postmaster_that_cannot_be_seen()
    {
        using var server = TestServer.Start("127.60.1.7");

        // Over TCP without a folder nothing of the process is to be seen, as in another container.
        using var record = new WatchRecord(WatchRecord.SettingsOf(server) with { Host = server.Address, DataDirectory = null });
        record.Until(ServerHealth.Running);
        Eventually.True(() => server.Query("select count(*) from pg_stat_activity where application_name = 'harepd watch'") == "2", "the idle session is there");

        // Ended sessions alone are no death.
        server.Query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'harepd watch'");
        Eventually.True(() => server.Query("select count(*) from pg_stat_activity where application_name = 'harepd watch'") == "2", "the idle session is back");
        Assert.Empty(record.Deaths);

        server.Signal("KILL");
        record.UntilDeaths(1);
        record.Until(ServerHealth.Down);
    }

    [Fact]
    public void Crashed_sessions_restart_the_server_without_a_death()
    {
        using var server = TestServer.Start("127.60.1.8");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);
        record.Watcher.SetPace(WatchPace.Alarmed);
        using (var victim = server.Connect())
        {
            using var command = new Npgsql.NpgsqlCommand("select pg_backend_pid()", victim);
            Command.Run("kill", "-KILL", $"{command.ExecuteScalar()}");

            // On a busy machine the server may be back before anybody looked, so its own log tells that it crashed.
            Eventually.True(() => server.Log.Contains("reinitializing", StringComparison.Ordinal), "the server restarts its processes");
        }

        record.Next(seen => seen is { Health: ServerHealth.Running, InRecovery: false }, "the server is back");
        Assert.Empty(record.Deaths);
    }

    [Fact]
    public void A_server_that_comes_back_in_another_folder_is_found_there()
    {
        using var server = TestServer.Start("127.60.1.9");
        using var record = new WatchRecord(WatchRecord.SettingsOf(server) with { DataDirectory = null });
        record.Until(ServerHealth.Running);
        server.Stop();
        record.Until(ServerHealth.StoppedCleanly);
        var moved = server.DataDirectory + ".moved";
        Command.Run("mv", server.DataDirectory, moved);
        record.Until(ServerHealth.Down);
        try
        {
            Command.Run("runuser", "-u", "postgres", "--", "/usr/lib/postgresql/15/bin/pg_ctl", "-D", moved, "-w", "-l", Path.Combine(server.Folder, "log"), "start");
            record.Until(ServerHealth.Running);
        }
        finally
        {
            Command.Run("runuser", "-u", "postgres", "--", "/usr/lib/postgresql/15/bin/pg_ctl", "-D", moved, "-w", "-m", "fast", "stop");
        }

        record.Until(ServerHealth.StoppedCleanly);
        record.UntilDeaths(2);
    }

    private static bool Settled(WatchRecord record, ref int count)
    {
        Thread.Sleep(300);
        var now = record.Seen.Count;
        var isSame = now == count;
        count = now;
        return isSame;
    }
}
