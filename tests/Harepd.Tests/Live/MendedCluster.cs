using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Tests.Live;

/// <summary>One cluster for many tests: each asks for it ready; what a test broke is mended if that can be done, otherwise a new cluster is made.</summary>
internal sealed class MendedCluster(LabClusterOptions options)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private LabCluster? cluster;

    /// <summary>Ends the cluster that there is, if any.</summary>
    public async Task EndAsync()
    {
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
    }

    /// <summary>A cluster whose primary every HAProxy serves, whose standby streams, and whose daemons all run.</summary>
    public async Task<Stage> ReadyAsync()
    {
        if (cluster is not null && await MendAsync(cluster) is { } primary)
        {
            return new Stage(cluster, primary, cluster.OtherThan(primary));
        }

        await EndAsync();
        cluster = await LabCluster.StartAsync(options);
        await cluster.WaitForServingAsync(cluster.Repmgr.Node1);
        return new Stage(cluster, cluster.Repmgr.Node1, cluster.Repmgr.Node2);
    }

    // The primary when all is well again; null when a new cluster is the shorter way.
    private static async Task<RepmgrNode?> MendAsync(LabCluster cluster)
    {
        try
        {
            await (cluster.Lab.Network?.HealAsync() ?? Task.CompletedTask);
            foreach (var daemon in cluster.Daemons)
            {
                daemon.Thaw();
                daemon.Start();
            }

            foreach (var node in cluster.Repmgr.DataNodes)
            {
                node.Server.Thaw();
                await node.StopDaemonAsync();
                if (!node.Server.IsRunning)
                {
                    await node.Server.WaitForEndAsync();
                    await node.Server.StartAsync();
                }
            }

            if (await PrimaryAsync(cluster) is not { } primary)
            {
                return null;
            }

            await cluster.Repmgr.CorrectTablesAsync(primary);
            await ReuniteAsync(primary, cluster.OtherThan(primary));
            await cluster.WaitForServingAsync(primary, Limit);
            return primary;
        }
        catch (LabException)
        {
            return null;
        }
    }

    // The one out of recovery; of two, the one on the higher timeline.
    private static async Task<RepmgrNode?> PrimaryAsync(LabCluster cluster)
    {
        var found = new List<(RepmgrNode Node, uint Timeline)>();
        foreach (var node in cluster.Repmgr.DataNodes)
        {
            if (await node.Server.IsInRecoveryAsync() == false)
            {
                found.Add((node, await node.Server.TimelineAsync()));
            }
        }

        return found.OrderByDescending(one => one.Timeline).Select(one => one.Node).FirstOrDefault();
    }

    private static async Task ReuniteAsync(RepmgrNode primary, RepmgrNode other)
    {
        if (await other.Server.IsInRecoveryAsync() == false)
        {
            await other.Server.StopAsync();
            await RepmgrCluster.RejoinAsync(other, primary);
        }

        await RepmgrCluster.WaitForStreamingAsync(other.Server);
    }
}

/// <summary>The cluster as a test finds it, with the roles that its nodes have now.</summary>
internal sealed record Stage(LabCluster Cluster, RepmgrNode Primary, RepmgrNode Standby);
