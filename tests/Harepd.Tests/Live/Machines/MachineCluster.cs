using Harepd.Lab;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>The cluster of machines that all tests of faults share: two data nodes, a witness, two HAProxys, a client beside each.</summary>
public sealed class MachineCluster : IAsyncLifetime
{
    /// <summary>Connection slots of each server: enough for a crowd of a hundred.</summary>
    public const int Slots = 150;

    private const int Tries = 3;

    private readonly MendedCluster cluster = new(new LabClusterOptions
    {
        Network = true,
        Repmgr = new RepmgrOptions { Postgres = new PostgresOptions { MaxConnections = Slots } },
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

    /// <summary>A fault that costs nobody a write. It gets three tries: a machine that stalls for longer than the lease allows costs the lease by right.</summary>
    internal async Task CostsNothingAsync(string fault, Func<FaultRun, Task> scenario)
    {
        var failures = 0;
        for (var tries = 1; tries <= Tries; tries++)
        {
            await using var run = await BeginAsync(fault);
            await scenario(run);
            await run.JudgeAsync(run.Sides.Primary);
            failures = run.Failures;
            if (failures == 0)
            {
                return;
            }
        }

        Assert.Equal(0, failures);
    }
}
