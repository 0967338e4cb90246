using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Harepd.Tests.Watch;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>An old primary whose disk is full cannot be rewound: the cluster is served all the same, the old primary is shut and says why, and returns when there is room.</summary>
[Collection(LiveTests.Name)]
public sealed class RejoinTroubleTests
{
    [Fact]
    public async Task An_old_primary_with_a_full_disk_stays_shut_and_rejoins_when_there_is_room()
    {
        var options = new LabClusterOptions
        {
            Harepd = new() { Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.rejoin"] = "auto" } },
        };
        await using var cluster = await LabCluster.StartAsync(options);
        var (old, next) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await cluster.WaitForServingAsync(old);
        // The folder is elsewhere for a moment, which looks like the end of the server.
        Assert.True((await cluster.DaemonOf(old).RunAsync("pause", "--for", "5m")).Succeeded);
        await old.Server.StopAsync();
        using var disk = new SmallDisk(old.Server.DataDirectory, megabytes: 512);
        await old.Server.StartAsync();
        await cluster.WaitForServingAsync(old);
        Assert.True((await cluster.DaemonOf(old).RunAsync("resume")).Succeeded);
        await using var writers = await Writers.StartAsync(cluster);
        await RepmgrCluster.WaitForStreamingAsync(next.Server);
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);

        old.Server.KillPostmaster();
        await writers.WaitForWriteAsync(next);
        await old.Server.WaitForEndAsync();
        await old.Server.StartAsync();
        disk.Fill();
        await Wait.UntilAsync(
            () => cluster.DaemonOf(old).Log is var log && (log.Contains("RejoinFailed", StringComparison.Ordinal) || log.Contains("-> CannotWrite", StringComparison.Ordinal)),
            "the old primary's daemon to say what stands in the way",
            TimeSpan.FromSeconds(60),
            detail: cluster.Describe);

        await writers.WaitForWriteAsync(next, afterSeconds: 2);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(old.Server));

        // A server that cannot write is not touched, or the rewind is refused before anything was changed, and tried again; or the server does not come up, and a person
        // has to start it.
        disk.Empty();
        if (!old.Server.IsRunning)
        {
            await old.Server.WaitForEndAsync();
            await old.Server.StartAsync();
        }

        await Wait.UntilAsync(
            async () => await old.Server.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1,
            $"{old.Name} to be a standby",
            TimeSpan.FromSeconds(90),
            detail: cluster.Describe);
        await writers.WaitForWriteAsync(next, afterSeconds: 1);
        await writers.StopAsync();
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        await old.Server.StopAsync();
    }
}
