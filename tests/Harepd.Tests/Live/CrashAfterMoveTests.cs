using Harepd.Control;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>
/// A new primary dies in the first moments of its reign, while the others do not stream from it yet or their daemons do not know that they do: somebody takes over all the same, and nothing
/// that the move promised is lost.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class CrashAfterMoveTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_new_primary_that_dies_at_once_is_replaced()
    {
        await using var cluster = await LabCluster.StartAsync(new LabClusterOptions
        {
            Repmgr = new RepmgrOptions { ThreeDataNodes = true, Witness = false },
            Harepd = new()
            {
                Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.minInterval"] = "0s", ["failover.rejoin"] = "auto" },
            },
        });
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        foreach (var pauseMs in new[] { 0, 20, 60, 150, 300, 600 })
        {
            primary = await RunAsync(cluster, primary, pauseMs);
        }
    }

    /// <summary>Nobody else has anything of its timeline, and its own data folder may not know of it yet: it comes back where it is.</summary>
    [Fact]
    public async Task A_new_primary_that_dies_alone_comes_back()
    {
        await using var cluster = await LabCluster.StartAsync(new LabClusterOptions
        {
            Harepd = new()
            {
                Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.minInterval"] = "0s", ["failover.rejoin"] = "auto" },
            },
        });
        var (old, next) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await cluster.WaitForServingAsync(old);
        await cluster.WaitForMoveAsync(old);
        await using var writers = await Writers.StartAsync(cluster);
        var killed = false;
        await Orders.AskAsync(cluster, old, new ControlRequest("switchover"), answer =>
        {
            if (!killed && answer is { Event: "begin", Subject: "Rejoin" })
            {
                next.Server.KillPostmaster();
                killed = true;
            }

            return Task.CompletedTask;
        });
        Assert.True(killed, "the move did not come to the rejoin");
        await Wait.UntilAsync(async () => await cluster.PrimaryBesideAsync(old) == next, $"{next.Name} to come back", Long, detail: () => Describe(cluster));
        await writers.WaitForWriteAsync(next, afterSeconds: 1);
        await writers.StopAsync();
        await RepmgrCluster.WaitForStreamingAsync(old.Server);
        Assert.Empty(Analyser.Lost(writers.All, await next.Server.WrittenIdsAsync()));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
    }

    private async Task<RepmgrNode> RunAsync(LabCluster cluster, RepmgrNode old, int pauseMs)
    {
        foreach (var standby in cluster.Repmgr.DataNodes.Where(node => node != old))
        {
            await cluster.WaitForStreamingAsync(standby, old);
        }

        await cluster.WaitForMoveAsync(old);
        var moved = await Orders.AskAsync(cluster, old, new ControlRequest("switchover"));
        Assert.True(moved is { Event: "ended", Subject: "Moved" }, $"{moved}\n{cluster.Describe()}");
        var killed = await cluster.PrimaryBesideAsync(old);
        Assert.NotNull(killed);
        await Task.Delay(pauseMs);
        killed.Server.KillPostmaster();
        var begin = LabClock.Now;
        RepmgrNode? next = null;
        await Wait.UntilAsync(
            async () => (next = await cluster.PrimaryBesideAsync(killed)) is not null, $"somebody to take over from {killed.Name}, killed {pauseMs} ms after the move", Long, detail: () => Describe(cluster));
        output.WriteLine($"{old.Name} to {killed.Name}, killed {pauseMs} ms later: {next!.Name} after {(LabClock.Now - begin).TotalMilliseconds:F0} ms");
        await killed.Server.WaitForEndAsync();
        await killed.Server.StartAsync();
        await cluster.WaitForServingAsync(next);
        return next;
    }

    private static string Describe(LabCluster cluster) =>
        string.Join("\n", cluster.Repmgr.DataNodes.Select(node => cluster.DaemonOf(node).RunAsync("status").GetAwaiter().GetResult().Output).Append(cluster.Describe()));
}
