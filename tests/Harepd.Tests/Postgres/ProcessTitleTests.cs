using Harepd.Postgres.Fencing;
using Xunit;

namespace Harepd.Tests.Postgres;

public sealed class ProcessTitleTests
{
    private static readonly ProcessTitle _titles = new("postgres: my cl: x: ", new HashSet<string>(StringComparer.Ordinal) { "repmgr" });

    [Theory]
    [InlineData("postgres: my cl: x: checkpointer")]
    [InlineData("postgres: my cl: x: background writer")]
    [InlineData("postgres: my cl: x: startup recovering 00000001000000000000000C")]
    [InlineData("postgres: my cl: x: walreceiver streaming 0/C00060")]
    [InlineData("postgres: my cl: x: archiver last was 00000001000000000000000B.00000028.backup")]
    [InlineData("postgres: my cl: x: autovacuum worker shop")]
    [InlineData("postgres: my cl: x: parallel worker for PID 12")]
    [InlineData("postgres: my cl: x: pg_cron launcher")]
    [InlineData("postgres: my cl: x: walsender rep [local] streaming 0/C00060")]
    [InlineData("postgres: my cl: x: walsender rep 10.0.0.1(42770) streaming 1A/C00060")]
    public void The_servers_own_processes_stay(string title) => Assert.Equal(ServerProcessKind.Server, _titles.Classify(title));

    [Theory]
    [InlineData("postgres: my cl: x: app shop [local] idle")]
    [InlineData("postgres: my cl: x: app shop [local]")]
    [InlineData("postgres: my cl: x: a b x y [local] idle in transaction (aborted)")]
    [InlineData("postgres: my cl: x: app shop [local] COMMIT waiting for 0/16B2D58")]
    [InlineData("postgres: my cl: x: walsender rep [local] START_REPLICATION")]
    [InlineData("postgres: my cl: x: repmgr repmgr 10.0.0.1(42770) idle")]
    [InlineData("postgres: my cl: x: repmgr repmgr host.example.com(42770) authentication")]
    [InlineData("postgres: my cl: x: repmgr repmgr fd00::1(42770) COMMIT waiting for 0/16B2D58")]
    public void Local_sessions_and_exempt_users_stay(string title) => Assert.Equal(ServerProcessKind.Exempt, _titles.Classify(title));

    [Theory]
    [InlineData("postgres: my cl: x: app shop 10.0.0.1(42770) idle")]
    [InlineData("postgres: my cl: x: app shop 10.0.0.1(42770)")]
    [InlineData("postgres: my cl: x: walsender rep 10.0.0.1(42770) START_REPLICATION")]
    [InlineData("postgres: my cl: x: walsender rep 10.0.0.1(42770) sending backup \"x\"")]
    [InlineData("postgres: other: repmgr repmgr 10.0.0.1(42770) idle")]
    public void Everybody_else_is_a_client(string title) => Assert.Equal(ServerProcessKind.Client, _titles.Classify(title));

    [Theory]
    [InlineData("postgres: my cl: x: app x [local] 10.0.0.1(5) idle")]
    [InlineData("postgres: my cl: x: app x [local] idle 10.0.0.1(5) idle")]
    [InlineData("postgres: my cl: x: repmgr x shop 10.0.0.1(5) idle")]
    [InlineData("postgres: my cl: x: repmgr x 1.1.1.1(1) 10.0.0.1(5) idle")]
    [InlineData("postgres: my cl: x: checkpointer db 10.0.0.1(5) idle")]
    [InlineData("postgres: my cl: x: autovacuum worker 10.0.0.1(5)")]
    [InlineData("postgres: my cl: x: walsender rep 10.0.0.9(9) streaming 0/1 10.0.0.1(5) idle")]
    [InlineData("postgres: my cl: x: x: repmgr repmgr 10.0.0.1(5) idle")]
    public void Names_that_a_client_chooses_spare_nobody(string title) => Assert.Equal(ServerProcessKind.Client, _titles.Classify(title));

    [Theory]
    [InlineData("/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main")]
    [InlineData("")]
    public void A_child_that_still_bears_its_parents_title_is_untitled(string title) => Assert.Equal(ServerProcessKind.Untitled, _titles.Classify(title));

    [Fact]
    public void The_prefix_comes_from_a_process_that_no_client_can_imitate()
    {
        Assert.Equal("postgres: my cl: x: ", ProcessTitle.PrefixFrom("postgres: my cl: x: checkpointer"));
        Assert.Equal("postgres: ", ProcessTitle.PrefixFrom("postgres: checkpointer"));
        Assert.Null(ProcessTitle.PrefixFrom("postgres: u db 10.0.0.1(5) checkpointer"));
        Assert.Null(ProcessTitle.PrefixFrom("postgres: walwriter"));

        // Without it the WAL senders of a server that is stopping would be taken for clients, and the standby would not get the last record.
        Assert.Equal("postgres: node_1: ", ProcessTitle.PrefixFrom("postgres: node_1: checkpointer performing shutdown checkpoint"));
        Assert.Equal("postgres: ", ProcessTitle.PrefixFrom("postgres: checkpointer performing end-of-recovery checkpoint"));
        Assert.Null(ProcessTitle.PrefixFrom("postgres: u db [local] x: checkpointer performing"));
    }
}
