using Harepd.Core.Model;
using Harepd.Postgres.Watch;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Watch;

/// <summary><c>synchronous_standby_names</c>, and what a primary is seen to wait for.</summary>
public sealed class SynchronyTextTests
{
    [Theory]
    [InlineData("", 0, "")]
    [InlineData("b", 1, "b")]
    [InlineData(" b , C ", 1, "b,c")]
    [InlineData("FIRST 2 (a, b, c)", 2, "a,b,c")]
    [InlineData("first 1 (a)", 1, "a")]
    [InlineData("2 (a,b)", 2, "a,b")]
    [InlineData("ANY 1 (\"node 2\", node_3)", 1, "node 2,node_3")]
    [InlineData("any 1(a,\"b\"\"c\")", 1, "a,b\"c")]
    [InlineData("\"any\", b", 1, "any,b")]
    [InlineData("\"ANY\"", 1, "any")]
    [InlineData("*", 0, "")]
    [InlineData("ANY 1 (*)", 0, "")]
    [InlineData("ANY 1 (a, *)", 0, "")]
    [InlineData("\"*\"", 0, "")]
    [InlineData("ANY 1 (a", 0, "")]
    [InlineData("ANY x (a)", 0, "")]
    [InlineData("ANY 1 (a,)", 0, "")]
    [InlineData("a b", 0, "")]
    [InlineData("\"a", 0, "")]
    [InlineData("ANY 1", 0, "")]
    public void A_setting_says_of_how_many_of_whom(string text, int count, string names) =>
        Assert.Equal(new Synchrony(count, names.Split(',', StringSplitOptions.RemoveEmptyEntries)), SynchronyText.Read(text));

    [Fact]
    public void What_is_written_is_read_as_the_same()
    {
        var synchrony = new Synchrony(2, ["node_2", "a \"b\"", "c,d"]);

        Assert.Equal(synchrony, SynchronyText.Read(SynchronyText.Write(synchrony)));
        Assert.Equal("", SynchronyText.Write(Synchrony.None));
    }

    [Fact]
    public void A_primary_is_seen_to_wait_for_what_its_settings_in_force_say()
    {
        using var server = TestServer.Start("127.60.3.31");
        using var standby = server.StartStandby("127.60.3.32", "cluster_name = 'beside'");
        using var record = WatchRecord.Of(server);
        using var other = WatchRecord.Of(standby);
        Assert.Equal(Synchrony.None, record.Next(seen => seen.Replicas is [{ State: "streaming" }], "the standby is seen").Synchrony);

        Set(server, "synchronous_standby_names = 'ANY 1 (beside, other)'");
        var waits = record.Next(seen => seen is { Synchrony.IsNone: false, IsSynchronyTaken: true }, "the setting is in force");
        Assert.Equal(new Synchrony(1, ["beside", "other"]), waits.Synchrony);
        server.Query("create table t as select 1");
        record.Next(seen => seen.Replicas is [{ SyncState: "quorum" }], "the standby is one of the quorum");

        // A commit that waits for no standby's disk has no promise behind it.
        Set(server, "synchronous_commit = 'remote_write'");
        record.Next(seen => seen.Synchrony!.IsNone, "the level is below on");
        Assert.True(other.Next(seen => seen.IsStreaming, "the standby streams").HasReceived);
    }

    [Fact]
    public void A_user_with_a_level_of_its_own_does_not_see_the_servers()
    {
        using var server = TestServer.Start("127.60.3.33", "synchronous_standby_names = 'b'");
        server.Query("set synchronous_commit = local; alter role postgres set synchronous_commit = on");
        using var record = WatchRecord.Of(server);

        Assert.Equal(Synchrony.None, record.Next(seen => seen.IsWritable, "the server is seen").Synchrony);
    }

    private static void Set(TestServer server, string setting)
    {
        server.Query($"alter system set {setting}");
        server.Query("select pg_reload_conf()");
    }
}
