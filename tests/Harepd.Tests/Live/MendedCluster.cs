using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Npgsql;

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

            foreach (var haproxy in cluster.Haproxies.Where(haproxy => haproxy.Master is null))
            {
                await haproxy.StartAsync();
            }

            foreach (var node in cluster.Repmgr.DataNodes.Append(cluster.Repmgr.Witness))
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
            await ReuniteAsync(cluster, primary, cluster.OtherThan(primary));
            await cluster.WaitForServingAsync(primary, Limit);
            return primary;
        }
        catch (Exception e) when (e is LabException or NpgsqlException)
        {
            return null;
        }
    }

    // The one out of recovery; of two, the one whose gate is open, or the one on the higher timeline.
    private static async Task<RepmgrNode?> PrimaryAsync(LabCluster cluster)
    {
        var found = new List<(RepmgrNode Node, bool IsOpen, uint Timeline)>();
        foreach (var node in cluster.Repmgr.DataNodes)
        {
            if (await node.Server.IsInRecoveryAsync() == false)
            {
                found.Add((node, GateOnDisk.Of(node.Server) == Gate.ReadWrite, await node.Server.TimelineAsync()));
            }
        }

        return found.OrderByDescending(one => one.IsOpen).ThenByDescending(one => one.Timeline).Select(one => one.Node).FirstOrDefault();
    }

    private static async Task ReuniteAsync(LabCluster cluster, RepmgrNode primary, RepmgrNode other)
    {
        if (await other.Server.IsInRecoveryAsync() == false)
        {
            var isAhead = await other.Server.TimelineAsync() > await primary.Server.TimelineAsync();
            await other.Server.StopAsync();
            // A rogue's timeline is newer than the one that counts: no rewind leads back from there.
            await (isAhead ? cluster.Repmgr.MakeStandbyAsync(other, primary) : RepmgrCluster.RejoinAsync(other, primary));
        }

        await RepmgrCluster.WaitForStreamingAsync(other.Server);
    }
}

/// <summary>The cluster as a test finds it, with the roles that its nodes have now.</summary>
internal sealed record Stage(LabCluster Cluster, RepmgrNode Primary, RepmgrNode Standby);
