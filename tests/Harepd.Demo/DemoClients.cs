using Harepd.Lab;
using Harepd.Lab.Clients;

namespace Harepd.Demo;

/// <summary>
/// The writers of the demo: a pool behind HAProxy, whose gap is measured, and one client straight at each server, which would notice a
/// second writer that HAProxy hides.
/// </summary>
internal sealed class DemoClients : IAsyncDisposable
{
    public DemoClients(LabCluster cluster)
    {
        Main = cluster.WriteThroughHaproxy(new WriterOptions { Clients = 4, Rate = 200 });
        Direct1 = LabCluster.WriteDirectly(cluster.Repmgr.Node1);
        Direct2 = LabCluster.WriteDirectly(cluster.Repmgr.Node2);
    }

    public Writer Main { get; }

    public Writer Direct1 { get; }

    public Writer Direct2 { get; }

    /// <summary>Every attempt by every path.</summary>
    public IReadOnlyList<WriteAttempt> All => [.. Main.Attempts, .. Direct1.Attempts, .. Direct2.Attempts];

    public async ValueTask DisposeAsync()
    {
        await Main.DisposeAsync();
        await Direct1.DisposeAsync();
        await Direct2.DisposeAsync();
    }
}
