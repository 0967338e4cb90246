using Harepd.Core.Model;
using Harepd.Http;
using Xunit;

namespace Harepd.Tests.Http;

/// <summary>Every path in every situation: the table that load balancers live by.</summary>
public sealed class HealthRulesTests
{
    private static readonly string[] Paths =
    [
        "/", "/primary", "/master", "/read-write", "/leader", "/standby-leader", "/standby_leader", "/replica", "/read-only", "/health",
        "/sync", "/synchronous", "/async", "/asynchronous", "/quorum", "/read-only-sync", "/read-only-quorum", "/nonsense", "/primary/deeper", "/my-replica",
    ];

    // One column a path of the list above: + is 200, . is 503.
    [Theory]
    [InlineData("primary", "+++++...++.....++.+.")]
    [InlineData("primary, gate not open yet", "....+....+..........")]
    [InlineData("primary, lease over", ".........+..........")]
    [InlineData("primary, loop stuck", "....................")]
    [InlineData("primary, all slots taken", "+++++...++.....++.+.")]
    [InlineData("standby", ".......+++..++.....+")]
    [InlineData("standby, sync", ".......+++++...+...+")]
    [InlineData("standby, quorum", ".......+++..+++.+..+")]
    [InlineData("standby, lagging", ".........+..........")]
    [InlineData("standby, noloadbalance", ".........+..........")]
    [InlineData("standby, in maintenance", ".........+..........")]
    [InlineData("standby, fenced", ".........+..........")]
    [InlineData("standby, starting", "....................")]
    [InlineData("rogue", ".........+..........")]
    [InlineData("down", "....................")]
    [InlineData("witness", "....................")]
    public void Each_path_answers_as_the_situation_is(string situation, string expected)
    {
        var status = Statuses.Of(situation);

        var answers = string.Concat(Paths.Select(path => HealthRules.IsOk(path, HealthQuery.None, status, Statuses.Now, Statuses.Limit) ? '+' : '.'));

        Assert.Equal(expected, answers);
    }

    [Fact]
    public void Nothing_is_healthy_before_the_first_step() =>
        Assert.All(Paths, path => Assert.False(HealthRules.IsOk(path, HealthQuery.None, null, Statuses.Now, Statuses.Limit)));

    [Theory]
    [InlineData("/primary", -1, true)]
    [InlineData("/primary", 0, false)]
    [InlineData("/leader", -1, true)]
    [InlineData("/leader", 0, false)]
    public void An_answer_turns_by_itself_at_the_lease_deadline(string path, int millisecondsAfter, bool expected)
    {
        var deadline = Statuses.Now + TimeSpan.FromMilliseconds(500);
        var status = Statuses.Primary() with { LeaseDeadline = deadline };

        Assert.Equal(expected, HealthRules.IsOk(path, HealthQuery.None, status, deadline + TimeSpan.FromMilliseconds(millisecondsAfter), Statuses.Limit));
    }

    [Theory]
    [InlineData("lag=1000", true)]
    [InlineData("lag=72", true)]
    [InlineData("lag=71", false)]
    [InlineData("lag=0", false)]
    [InlineData("lag=1kB", true)]
    [InlineData("lag=rubbish", true)]
    [InlineData("lag=-1", true)]
    [InlineData("replication_state=streaming", true)]
    [InlineData("replication_state=catchup", false)]
    [InlineData("tag_dc=west", true)]
    [InlineData("tag_dc=WEST", true)]
    [InlineData("tag_dc=east", false)]
    [InlineData("tag_nosuch=1", false)]
    [InlineData("unknown=1", true)]
    public void Conditions_narrow_a_replica(string query, bool expected)
    {
        var status = Statuses.Standby() with { Tags = Statuses.Standby().Tags.Add("dc", "west") };
        var pair = query.Split('=');

        var parsed = HealthQuery.From([KeyValuePair.Create(pair[0], pair[1])]);

        Assert.Equal(expected, HealthRules.IsOk("/replica", parsed, status, Statuses.Now, Statuses.Limit));
        Assert.Equal(expected, HealthRules.IsOk("/read-only", parsed, status, Statuses.Now, Statuses.Limit));
    }

    [Fact]
    public void Tags_do_not_concern_the_leases_own_paths()
    {
        var query = HealthQuery.From([KeyValuePair.Create("tag_dc", "west")]);

        Assert.True(HealthRules.IsOk("/primary", query, Statuses.Primary(), Statuses.Now, Statuses.Limit));
        Assert.True(HealthRules.IsOk("/leader", query, Statuses.Primary(), Statuses.Now, Statuses.Limit));
        Assert.False(HealthRules.IsOk("/read-only", query, Statuses.Primary(), Statuses.Now, Statuses.Limit));
    }

    [Theory]
    [InlineData("1024", 1024L)]
    [InlineData("16kB", 16384L)]
    [InlineData("64MB", 67108864L)]
    [InlineData("1.5GB", 1610612736L)]
    [InlineData(" 2 TB ", 2199023255552L)]
    [InlineData("0", 0L)]
    public void Sizes_are_read_as_postgresql_writes_them(string text, long expected) => Assert.Equal(expected, HealthQuery.Bytes(text));

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1")]
    [InlineData("16KB")]
    [InlineData("1e9")]
    [InlineData("99999999999999999999TB")]
    public void Other_sizes_set_no_limit(string text) => Assert.Null(HealthQuery.Bytes(text));

    [Theory]
    [InlineData("primary", "", true)]
    [InlineData("primary, lease over", "", false)]
    [InlineData("primary, loop stuck", "", false)]
    [InlineData("standby", "", true)]
    [InlineData("standby", "lag=100", true)]
    [InlineData("standby", "lag=100&mode=apply", false)]
    [InlineData("standby", "lag=256&mode=apply", true)]
    [InlineData("standby, starting", "", false)]
    [InlineData("down", "", false)]
    [InlineData("witness", "", false)]
    [InlineData("rogue", "", false)]
    public void Readiness_asks_for_a_use(string situation, string query, bool expected)
    {
        var parsed = HealthQuery.From(query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => KeyValuePair.Create(p.Split('=')[0], p.Split('=')[1])));

        Assert.Equal(expected, HealthRules.IsReady(parsed, Statuses.Of(situation), Statuses.Now, Statuses.Limit));
    }

    [Fact]
    public void A_standby_that_does_not_stream_is_not_ready()
    {
        var status = Statuses.Standby() with { Server = Statuses.Standby().Server! with { IsStreaming = false } };

        Assert.False(HealthRules.IsReady(HealthQuery.None, status, Statuses.Now, Statuses.Limit));
    }

    [Theory]
    [InlineData("primary", false, "up\n")]
    [InlineData("primary", true, "up\n")]
    [InlineData("standby", false, "down #serves reads\n")]
    [InlineData("standby", true, "up\n")]
    [InlineData("primary, lease over", false, "down #holds the lease\n")]
    [InlineData("primary, loop stuck", false, "down #holds the lease\n")]
    public void The_agent_says_up_or_down_and_nothing_that_latches(string situation, bool isRead, string expected) =>
        Assert.Equal(expected, AgentServer.Line(isRead, Statuses.Of(situation), Statuses.Now, Statuses.Limit));

    [Fact]
    public void An_agents_reason_cannot_smuggle_a_word_in()
    {
        var status = Statuses.Standby() with { Reason = "x, ready\nup #maint" };

        Assert.Equal("down #x  ready up  maint\n", AgentServer.Line(isReadQuestion: false, status, Statuses.Now, Statuses.Limit));
    }

    [Fact]
    public void A_reading_of_zero_lease_is_no_lease() =>
        Assert.False((Statuses.Primary() with { LeaseDeadline = Instant.Zero }).HoldsLease(Statuses.Now));
}
