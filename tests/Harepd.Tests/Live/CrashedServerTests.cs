using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>
/// A primary whose postmaster was killed, and that nobody else starts: harepd brings it back where nobody takes over, and as a standby where somebody did; not while an
/// operator has paused it.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class CrashedServerTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_crashed_primary_comes_back_by_itself()
    {
        await using var cluster = await StartAsync(("failover.rejoin", "auto"), ("failover.stopGrace", "2s"));
        var (first, second) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await cluster.WaitForServingAsync(first);

        // The only standby is in maintenance, so nobody can take over.
        Assert.Equal(0, (await cluster.DaemonOf(second).RunAsync("maintenance", "--for", "10m")).ExitCode);
        await CrashAsync(cluster, first, first);
        Assert.True(await second.Server.IsInRecoveryAsync());
        Assert.Contains("CrashedStarts", (await cluster.DaemonOf(first).RunAsync("history")).Output, StringComparison.Ordinal);

        // It takes over, and the old primary becomes its standby, rewound.
        Assert.Equal(0, (await cluster.DaemonOf(second).RunAsync("maintenance", "--off")).ExitCode);
        await cluster.WaitForKnownAsync(second, first);
        await CrashAsync(cluster, first, second);
        await RepmgrCluster.WaitForStreamingAsync(first.Server);

        // An operator's pause is kept: what he stops hard stays down until it is over.
        await cluster.WaitForKnownAsync(first, second);
        Assert.Equal(0, (await cluster.DaemonOf(second).RunAsync("pause", "--for", "10m")).ExitCode);
        await second.Server.StopAsync(StopMode.Immediate);
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.False(second.Server.IsRunning, "it was started in a pause");
        Assert.Equal(0, (await cluster.DaemonOf(second).RunAsync("resume")).ExitCode);
        await cluster.WaitForServingAsync(first);
        await RepmgrCluster.WaitForStreamingAsync(second.Server);
    }

    [Fact]
    public async Task With_onCrash_restart_it_comes_back_where_it_is()
    {
        await using var cluster = await StartAsync(("failover.onCrash", "restart"));
        var (first, second) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await cluster.WaitForServingAsync(first);
        await cluster.WaitForKnownAsync(second, first);
        await CrashAsync(cluster, first, first);
        Assert.True(await second.Server.IsInRecoveryAsync());
    }

    private static Task<LabCluster> StartAsync(params (string Key, string Value)[] policy) => LabCluster.StartAsync(new LabClusterOptions
    {
        Harepd = new()
        {
            Keys = new Dictionary<string, string?>(policy.Select(key => KeyValuePair.Create(key.Key, (string?)key.Value))) { ["failover.manager"] = "harepd", ["failover.minInterval"] = "0s" },
        },
    });

    /// <summary>Kills the primary's postmaster and waits until <paramref name="next"/> takes writes, with everything that was acknowledged where it is the same one.</summary>
    private async Task CrashAsync(LabCluster cluster, RepmgrNode primary, RepmgrNode next)
    {
        await using var writers = await Writers.StartAsync(cluster);
        await RepmgrCluster.WaitForCatchUpAsync(cluster.OtherThan(primary).Server, primary.Server);
        primary.Server.KillPostmaster();
        var begin = LabClock.Now;
        await writers.WaitForWriteAsync(next, afterSeconds: 1);
        output.WriteLine($"{primary.Name} killed: writes at {next.Name} after {(LabClock.Now - begin).TotalSeconds:F1} s");
        await writers.StopAsync();
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        if (primary == next)
        {
            Assert.Empty(Analyser.Lost(writers.All, await next.Server.WrittenIdsAsync()));
        }

        await cluster.WaitForServingAsync(next);
    }
}
