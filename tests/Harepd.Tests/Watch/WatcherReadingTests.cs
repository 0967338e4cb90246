using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Postgres.Watch;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Watch;

/// <summary>What a reading tells of a primary, a standby, and the moment between.</summary>
public sealed class WatcherReadingTests
{
    [Fact]
    public void A_primary_and_its_standby_tell_all_there_is()
    {
        using var server = TestServer.Start("127.60.3.1");
        using var standby = server.StartStandby("127.60.3.2", "cluster_name = 'beside'");
        using var record = WatchRecord.Of(server);
        using var other = WatchRecord.Of(standby);

        server.Query("create table t as select generate_series(1, 1000)");
        var primary = record.Next(seen => seen.Replicas is [{ State: "streaming" }], "the standby is seen");
        var position = Position(server.Query("select pg_current_wal_lsn()"));
        var follower = other.Next(seen => seen.IsStreaming && seen.ReplayLsn >= position, "the standby catches up");

        Assert.Equal((ServerHealth.Running, false, new TimelinePoint(1, default)), (primary.Health, primary.InRecovery, primary.Timeline));
        Assert.Equal(server.Query("select system_identifier from pg_control_system()"), primary.SystemId.ToString());
        Assert.Equal(("beside", "", "async"), (primary.Replicas[0].ApplicationName, primary.Replicas[0].ClientAddress, primary.Replicas[0].SyncState));
        Assert.True(primary.WriteLsn.Value > 0 && primary.ReplayLsn == primary.WriteLsn);
        Assert.False(primary.IsStreaming);
        Assert.InRange(primary.PostmasterStarted!.Value, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow);
        Assert.Equal(server.Query("show server_version_num"), $"{primary.ServerVersion}");

        Assert.Equal((ServerHealth.Running, true, new TimelinePoint(1, default)), (follower.Health, follower.InRecovery, follower.Timeline));
        Assert.Equal(primary.SystemId, follower.SystemId);
        Assert.Equal(server.Folder, follower.UpstreamHost);
        Assert.Equal(TimeSpan.Zero, follower.ReplayDelay);
        Assert.Empty(follower.Replicas);
    }

    [Fact]
    public void A_standby_whose_replay_is_paused_tells_its_delay()
    {
        using var server = TestServer.Start("127.60.3.3");
        using var standby = server.StartStandby("127.60.3.4");
        using var record = WatchRecord.Of(standby);
        server.Query("create table t(x int)");
        record.Next(seen => seen.IsStreaming && seen.ReplayDelay == TimeSpan.Zero && seen.ReplayLsn == seen.WriteLsn, "the standby catches up");

        standby.Query("select pg_wal_replay_pause()");
        server.Query("insert into t values (1)");

        var late = record.Next(seen => seen.ReplayDelay > TimeSpan.Zero, "the delay is seen");
        Assert.True(late.WriteLsn > late.ReplayLsn);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_promotion_is_seen_at_once_with_its_timeline_and_switch_point(bool isAlarmed, bool isFolderKnown)
    {
        using var server = TestServer.Start("127.60.3.5");
        using var standby = server.StartStandby("127.60.3.6");
        var settings = WatchRecord.SettingsOf(standby) with { CalmInterval = TimeSpan.FromSeconds(20), FreshConnectionInterval = TimeSpan.FromMinutes(1) };
        using var record = new WatchRecord(isFolderKnown ? settings : settings with { DataDirectory = null });
        record.Until(ServerHealth.Running);
        record.Watcher.SetPace(isAlarmed ? WatchPace.Alarmed : WatchPace.Calm);
        Eventually.True(() => standby.Query("select count(*) from pg_stat_wal_receiver where status = 'streaming'") == "1", "the standby streams");
        server.Stop();
        var before = record.Seen.Count;

        standby.Query("select pg_promote(false)");

        // A calm reading alone would be as late as the calm interval is long.
        Eventually.True(() => record.Seen.Skip(before).Any(seen => seen.InRecovery == false), "the promotion is seen", seconds: 15);
        var first = record.Seen.Skip(before).First(seen => seen.InRecovery == false);
        Assert.Equal((2u, HistoryOf(standby)), (first.Timeline.Timeline, first.Timeline.SwitchLsn));
        Assert.False(first.Timeline.IsUnknown);
        Assert.Empty(record.Deaths);
    }

    [Fact]
    public void No_reading_of_a_promoted_server_lacks_its_switch_point()
    {
        for (var round = 0; round < 3; round++)
        {
            using var server = TestServer.Start("127.60.3.7");
            using var standby = server.StartStandby("127.60.3.8");
            using var record = new WatchRecord(WatchRecord.SettingsOf(standby) with { CalmInterval = TimeSpan.FromMilliseconds(1) });
            record.Until(ServerHealth.Running);
            record.Watcher.SetPace(WatchPace.Alarmed);

            standby.Query("select pg_promote(true)");
            record.Next(seen => seen.InRecovery == false, "the promotion is seen");

            Assert.DoesNotContain(record.Seen, seen => seen.Timeline.IsUnknown);
        }
    }

    [Fact]
    public void A_standby_follows_to_the_new_timeline_and_keeps_it_when_its_upstream_dies()
    {
        using var server = TestServer.Start("127.60.3.9");
        using var standby = server.StartStandby("127.60.3.10");
        using var cascade = standby.StartStandby("127.60.3.11");
        using var record = WatchRecord.Of(cascade);
        record.Next(seen => seen.IsStreaming, "the cascade streams");
        standby.Query("select pg_promote(true)");
        standby.Query("create table t(x int)");

        var moved = record.Next(seen => seen is { IsStreaming: true, Timeline.Timeline: 2 }, "the new timeline is received");
        Assert.Equal(HistoryOf(standby), moved.Timeline.SwitchLsn);
        standby.Stop("immediate");
        var alone = record.Next(seen => seen is { IsStreaming: false, UpstreamHost: "" }, "the receiver ends");
        Assert.Equal(moved.Timeline, alone.Timeline);
        Assert.True(alone.WriteLsn >= moved.WriteLsn);
    }

    [Fact]
    public void A_user_without_rights_on_files_or_statistics_still_tells_the_state()
    {
        using var server = TestServer.Start("127.60.3.12");
        using var standby = server.StartStandby("127.60.3.13");
        server.Query("create role plain login; revoke execute on all functions in schema pg_catalog from public; grant execute on all functions in schema pg_catalog to plain;"
            + "revoke execute on function pg_control_system(), pg_control_checkpoint(), pg_control_recovery() from plain");
        Eventually.True(() => standby.Query("select count(*) from pg_roles where rolname = 'plain'") == "1", "the role arrives");
        using var record = new WatchRecord(WatchRecord.SettingsOf(standby) with { User = "plain" });

        var seen = record.Until(ServerHealth.Running);

        Assert.True(seen.InRecovery);
        Assert.Equal(server.Query("select system_identifier from pg_control_system()"), seen.SystemId.ToString());
    }

    [Fact]
    public void A_long_calm_costs_next_to_nothing_and_goes_on()
    {
        using var server = TestServer.Start("127.60.3.14");
        using var record = WatchRecord.Of(server);
        record.Until(ServerHealth.Running);

        var seen = record.Next(next => next.At > record.Seen[0].At + TimeSpan.FromMilliseconds(500), "the readings go on");

        Assert.All(record.Seen.Zip(record.Seen.Skip(1)), pair => Assert.True(pair.First.At <= pair.Second.At));
        Assert.Equal(ServerHealth.Running, seen.Health);
    }

    private static Lsn HistoryOf(TestServer server)
    {
        var text = File.ReadAllText(Path.Combine(server.DataDirectory, "pg_wal", "00000002.history"));
        return Position(text.Split('\t')[1]);
    }

    private static Lsn Position(string text)
    {
        Assert.True(Lsn.TryParse(text, out var lsn), text);
        return lsn;
    }
}
