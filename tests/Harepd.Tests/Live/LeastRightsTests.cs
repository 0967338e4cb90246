using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>
/// No superuser anywhere: both daemons log in as a role that <c>harepd init-sql</c> made, which is also whom standbys stream as. They serve, move, fail over and rejoin,
/// and keep the history in the database.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class LeastRightsTests
{
    [Fact]
    public async Task A_role_made_by_init_sql_serves_moves_fails_over_and_rejoins()
    {
        var keys = new Dictionary<string, string?>
        {
            ["failover.manager"] = "harepd",
            ["failover.minInterval"] = "0s",
            ["failover.rejoin"] = "auto",
            ["history.table"] = "true",
            ["postgres.user"] = "keeper",
            ["postgres.replicationUser"] = "keeper",
            ["repmgr"] = null,
        };
        var usual = new PostgresOptions();
        var options = new LabClusterOptions
        {
            StartDaemons = false,
            Harepd = new() { Keys = keys },
            Repmgr = new() { Postgres = usual with { Hba = block => $"{usual.Hba(block)}host replication,postgres keeper {block} trust\n" } },
        };
        await using var cluster = await LabCluster.StartAsync(options);
        var (old, next) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        var script = await cluster.DaemonOf(old).RunAsync("init-sql");
        Assert.Equal(0, script.ExitCode);
        await old.Server.RunScriptAsync(script.Output);
        Assert.False(await old.Server.ScalarAsync<bool>("SELECT rolsuper FROM pg_roles WHERE rolname = 'keeper'"));
        cluster.StartDaemons();
        await cluster.WaitForServingAsync(old);
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        await cluster.WaitForMoveAsync(old);

        var moved = await cluster.DaemonOf(old).RunAsync("switchover", "--to", next.Name);
        Assert.True(moved.ExitCode == 0, $"{moved.Output}\n{cluster.Describe()}");
        await cluster.WaitForServingAsync(next);
        await RepmgrCluster.WaitForStreamingAsync(old.Server);
        await RepmgrCluster.WaitForCatchUpAsync(old.Server, next.Server);

        await NotedAsync(cluster, old, $"{next.Name} PromotionDone");

        await using (var writer = cluster.WriteThroughHaproxy(new WriterOptions { Clients = 2, Rate = 100 }))
        {
            await writer.FirstAfterAsync(LabClock.Now, server: next.Server);
            next.Server.KillPostmaster();
            await writer.FirstAfterAsync(LabClock.Now, server: old.Server);
        }

        await cluster.WaitForServingAsync(old);
        await next.Server.WaitForEndAsync();
        await next.Server.StartAsync();
        await Wait.UntilAsync(
            async () => await next.Server.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1,
            $"{next.Name} to rejoin {old.Name}",
            TimeSpan.FromSeconds(60),
            detail: cluster.Describe);

        // What a node noted while it was a standby is written when it serves, and all of it is on every server.
        await NotedAsync(cluster, next, $"{old.Name} MoveEnded, {old.Name} PromotionDone, {next.Name} PromotionDone");
        foreach (var node in cluster.Repmgr.DataNodes)
        {
            var check = (await cluster.DaemonOf(node).RunAsync("check", "--json")).Output;
            Assert.Contains("user keeper has the rights", check, StringComparison.Ordinal);
            Assert.DoesNotContain("init-sql", check, StringComparison.Ordinal);
        }
    }

    private static Task NotedAsync(LabCluster cluster, RepmgrNode node, string what) => Wait.UntilAsync(
        async () => await node.Server.TryScalarAsync<string>(
            "SELECT string_agg(DISTINCT node || ' ' || kind, ', ' ORDER BY node || ' ' || kind) FROM harepd.history WHERE kind IN ('MoveEnded', 'PromotionDone')") == what,
        $"the history in {node.Name}'s database to have {what}",
        detail: cluster.Describe);
}
