using System.Globalization;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>
/// harepd promotes by itself (<c>failover.manager: harepd</c>, no repmgrd): one after the other on one cluster, each server in turn. What was
/// measured is printed, never judged. <c>HAREPD_ROUNDS</c> repeats each scenario.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class FailoverTests(ITestOutputHelper output)
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("HAREPD_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 1;

    [Fact]
    public async Task Harepd_promotes_after_a_crash_and_after_the_loss_of_a_host()
    {
        var options = new LabClusterOptions
        {
            Harepd = new()
            {
                // Scenarios follow each other faster than servers may fail.
                Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.minInterval"] = "0s", ["failover.rejoin"] = "auto" },
            },
        };
        await using var cluster = await LabCluster.StartAsync(options);
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        for (var round = 0; round < Rounds; round++)
        {
            primary = await FailOverAsync(cluster, primary, "postmaster killed", KillServerAsync);
            primary = await FailOverAsync(cluster, primary, "host lost", LoseHostAsync);
        }
    }

    private static Task KillServerAsync(LabCluster cluster, RepmgrNode node)
    {
        node.Server.KillPostmaster();
        return Task.CompletedTask;
    }

    /// <summary>Server and daemon at once, so that nobody on that host can say a word.</summary>
    private static Task LoseHostAsync(LabCluster cluster, RepmgrNode node)
    {
        var killed = cluster.DaemonOf(node).KillAsync();
        node.Server.KillPostmaster();
        return killed;
    }

    private async Task<RepmgrNode> FailOverAsync(LabCluster cluster, RepmgrNode old, string fault, Func<LabCluster, RepmgrNode, Task> strike)
    {
        var next = cluster.OtherThan(old);
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);

        await cluster.WaitForKnownAsync(next, old);
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);

        var begin = LabClock.Now;
        await strike(cluster, old);
        await writers.WaitForWriteAsync(next);
        var served = await writers.Main.FirstAfterAsync(begin, server: next.Server);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fault}: served again after {(served.End - begin).TotalMilliseconds:F0} ms"));

        await ReturnAsync(cluster, old, next);
        await cluster.WaitForServingAsync(next);
        await writers.StopAsync();

        var lost = Analyser.Lost(writers.All, await next.Server.WrittenIdsAsync());
        Assert.Empty(Analyser.LostThoughDelivered(writers.All, lost, await PromotionWatch.TimelineEndsAsync(next.Server)));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(await watch.StopAsync());
        Assert.Equal("primary standby", await old.Server.ScalarAsync<string>(
            $"SELECT string_agg(type, ' ' ORDER BY node_id <> {next.Id}) FROM repmgr.nodes WHERE type <> 'witness' AND (node_id = {next.Id}) = (upstream_node_id IS NULL)",
            "repmgr",
            "repmgr"));
        return next;
    }

    /// <summary>The old primary is started as it is, a primary with what the new one never got, and becomes its standby by itself.</summary>
    private async Task ReturnAsync(LabCluster cluster, RepmgrNode old, RepmgrNode next)
    {
        cluster.DaemonOf(old).Start();
        await old.Server.WaitForEndAsync();
        await old.Server.StartAsync();
        var returned = LabClock.Now;
        await Wait.UntilAsync(
            async () => await old.Server.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1,
            $"{old.Name} to rejoin {next.Name}",
            TimeSpan.FromSeconds(60),
            detail: cluster.Describe);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  streams from the new primary {(LabClock.Now - returned).TotalSeconds:F1} s after its start"));
    }
}
