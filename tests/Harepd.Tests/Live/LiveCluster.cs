using Harepd.Lab;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>The cluster on loopback that all live tests share.</summary>
public sealed class LiveCluster : IAsyncLifetime
{
    private readonly MendedCluster cluster = new(new LabClusterOptions { Haproxy = new HaproxyOptions { MasterSocket = true } });

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => cluster.EndAsync();

    /// <summary>A cluster whose primary is served by HAProxy, whose standby streams, and whose daemons all run.</summary>
    internal Task<Stage> ReadyAsync() => cluster.ReadyAsync();
}
