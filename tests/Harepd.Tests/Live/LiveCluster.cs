using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>
/// One cluster for all live tests. Each test asks for it ready; what a test broke is mended if that is quick, otherwise a new
/// cluster is made.
/// </summary>
public sealed class LiveCluster : IAsyncLifetime
{
    private static readonly TimeSpan MendLimit = TimeSpan.FromSeconds(15);

    private LabCluster? cluster;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
    }

    /// <summary>A cluster whose primary is served by HAProxy, whose standby streams, and whose daemons all run.</summary>
    internal async Task<Stage> ReadyAsync()
    {
        if (cluster is not null && await MendAsync(cluster) is { } primary)
        {
            return new Stage(cluster, primary, cluster.OtherThan(primary));
        }

        await DisposeAsync();
        cluster = await LabCluster.StartAsync();
        await cluster.WaitForServingAsync(cluster.Repmgr.Node1);
        return new Stage(cluster, cluster.Repmgr.Node1, cluster.Repmgr.Node2);
    }

    // The primary when all is well again; null when a new cluster is the shorter way.
    private static async Task<RepmgrNode?> MendAsync(LabCluster cluster)
    {
        try
        {
            foreach (var daemon in cluster.Daemons)
            {
                daemon.Thaw();
                daemon.Start();
            }

            var nodes = cluster.Repmgr.DataNodes;
            var recovering = new List<bool?>();
            foreach (var node in nodes)
            {
                node.Server.Thaw();
                await node.StopDaemonAsync();
                if (!node.Server.IsRunning)
                {
                    await node.Server.WaitForEndAsync();
                    await node.Server.StartAsync();
                }

                recovering.Add(await node.Server.IsInRecoveryAsync());
            }

            if (recovering is not ([false, true] or [true, false]))
            {
                return null;
            }

            var primary = nodes[recovering.IndexOf(false)];
            await cluster.Repmgr.CorrectTablesAsync(primary);
            await RepmgrCluster.WaitForStreamingAsync(cluster.OtherThan(primary).Server);
            await cluster.WaitForServingAsync(primary, MendLimit);
            return primary;
        }
        catch (LabException)
        {
            return null;
        }
    }
}

/// <summary>The cluster as a test finds it, with the roles that its nodes have now.</summary>
internal sealed record Stage(LabCluster Cluster, RepmgrNode Primary, RepmgrNode Standby);
