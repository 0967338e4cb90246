using Harepd.Lab;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>The cluster of machines that all tests of faults share: two data nodes, a witness, two HAProxys, a client beside each.</summary>
public sealed class MachineCluster : IAsyncLifetime
{
    private readonly MendedCluster cluster = new(new LabClusterOptions
    {
        Network = true,
        Haproxy = new HaproxyOptions { Check = HaproxyCheck.Pgsql },
    });

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => cluster.EndAsync();

    /// <summary>A whole network, a primary that both HAProxys serve, a standby that streams, all daemons running; writers on both sides have begun.</summary>
    /// <param name="fault">The name that the figures are kept under.</param>
    internal async Task<FaultRun> BeginAsync(string fault)
    {
        var stage = await cluster.ReadyAsync();
        return await FaultRun.StartAsync(fault, new Sides(stage.Cluster, stage.Primary));
    }
}
