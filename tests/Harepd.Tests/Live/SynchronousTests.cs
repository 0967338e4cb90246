using System.Globalization;
using System.Text;
using System.Text.Json;
using Harepd.Core.Act;
using Harepd.History;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>
/// <c>failover.synchronousOnly</c> with managed synchronous replication on real servers: a crash under writers loses nothing that was acknowledged; without a
/// standby writes go on after a while, and then nobody takes over by itself.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class SynchronousTests(ITestOutputHelper output)
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("HAREPD_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 1;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_was_acknowledged_is_never_lost_and_whoever_was_not_waited_for_does_not_take_over()
    {
        var options = new LabClusterOptions
        {
            Harepd = new()
            {
                Keys = new Dictionary<string, string?>
                {
                    ["failover.manager"] = "harepd",
                    ["failover.minInterval"] = "0s",
                    ["failover.rejoin"] = "auto",
                    ["failover.synchronousOnly"] = "true",
                    ["failover.synchronous"] = "managed",
                    ["failover.synchronousDegradeAfter"] = "3s",
                    ["failover.startCrashed"] = "false",
                },
            },
        };
        await using var cluster = await LabCluster.StartAsync(options);
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        for (var round = 0; round < Rounds; round++)
        {
            primary = await CrashAsync(cluster, primary, isHostLost: false);
            primary = await CrashAsync(cluster, primary, isHostLost: true);
        }

        await DegradeAsync(cluster, primary);
        await NotedAsync(cluster, primary);
    }

    /// <summary>The postmaster is killed under writers, or the daemon with it; the standby that was waited for has all that they were told.</summary>
    private async Task<RepmgrNode> CrashAsync(LabCluster cluster, RepmgrNode old, bool isHostLost)
    {
        var next = cluster.OtherThan(old);
        await NotedAsync(cluster, old);
        await using var writers = await Writers.StartAsync(cluster);
        await writers.WaitForWriteAsync(old, afterSeconds: 1);

        var begin = LabClock.Now;
        var killed = isHostLost ? cluster.DaemonOf(old).KillAsync() : Task.CompletedTask;
        old.Server.KillPostmaster();
        await killed;
        await writers.WaitForWriteAsync(next);
        var served = await writers.Main.FirstAfterAsync(begin, server: next.Server);
        output.WriteLine($"{(isHostLost ? "host lost" : "postmaster killed")}: served again after {(served.End - begin).TotalMilliseconds:F0} ms");

        if (isHostLost)
        {
            cluster.DaemonOf(old).Start();
        }

        await old.Server.WaitForEndAsync();
        await old.Server.StartAsync();
        await Wait.UntilAsync(
            async () => await old.Server.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1, $"{old.Name} to rejoin", Long, detail: cluster.Describe);
        await NotedAsync(cluster, next);
        await writers.WaitForWriteAsync(next, afterSeconds: 1);
        await writers.StopAsync();

        Assert.Empty(Analyser.Lost(writers.All, await next.Server.WrittenIdsAsync()));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        return next;
    }

    /// <summary>The standby stops: writes stand still, then go on without it, with a record. The primary is lost, and the standby says why it does not take over.</summary>
    private async Task DegradeAsync(LabCluster cluster, RepmgrNode primary)
    {
        var standby = cluster.OtherThan(primary);
        await using var writers = await Writers.StartAsync(cluster);
        var stopped = LabClock.Now;
        await standby.Server.StopAsync();
        await Wait.UntilAsync(async () => (await FieldAsync(cluster, primary, primary, "waits_for")).Length == 0, "commits to wait for nobody", Long, detail: cluster.Describe);
        await writers.WaitForWriteAsync(primary, afterSeconds: 1);
        output.WriteLine($"standby stopped: no write for {Analyser.LongestGap(writers.Main.Attempts, stopped, LabClock.Now - TimeSpan.FromSeconds(1))?.TotalSeconds:F1} s");
        Assert.Contains(await HistoryAsync(cluster, primary), line => line is { Kind: nameof(DecisionKind.SynchronyAsked), To: "nobody" });
        Assert.Contains(await HistoryAsync(cluster, primary), line => line is { Kind: nameof(DecisionKind.SynchronyNoted), To: "nobody" });

        primary.Server.KillPostmaster();
        await standby.Server.StartAsync();
        await Wait.UntilAsync(
            async () => (await FieldAsync(cluster, standby, standby, "failover")).Contains("without waiting for a standby", StringComparison.Ordinal), $"{standby.Name} to say why it does not take over", Long, detail: cluster.Describe);
        await Task.Delay(TimeSpan.FromSeconds(3));
        Assert.True(await standby.Server.IsInRecoveryAsync());

        await primary.Server.WaitForEndAsync();
        await primary.Server.StartAsync();
        await writers.WaitForWriteAsync(primary);
        await NotedAsync(cluster, primary);
        await writers.StopAsync();
        Assert.Empty(Analyser.Lost(writers.All, await primary.Server.WrittenIdsAsync()));
    }

    /// <summary>The voters know that each commit is on the standby.</summary>
    private static async Task NotedAsync(LabCluster cluster, RepmgrNode primary)
    {
        var wanted = $"1 of {cluster.OtherThan(primary).Name}";
        await Wait.UntilAsync(async () => await FieldAsync(cluster, primary, primary, "waits_for_noted") == wanted, $"{primary.Name} to wait for {wanted}", Long, detail: cluster.Describe);
    }

    private static async Task<string> FieldAsync(LabCluster cluster, RepmgrNode asked, RepmgrNode node, string field)
    {
        var answer = await cluster.DaemonOf(asked).RunAsync("status", "--json");
        return answer.ExitCode != 0
            ? "no answer"
            : JsonDocument.Parse(answer.Output).RootElement.GetProperty("members").EnumerateArray()
                .FirstOrDefault(member => member.GetProperty("node").GetString() == node.Name) is { ValueKind: JsonValueKind.Object } found ? found.GetProperty(field).GetString() ?? "" : "unknown";
    }

    private static async Task<IReadOnlyList<HistoryLine>> HistoryAsync(LabCluster cluster, RepmgrNode node)
    {
        var answer = await cluster.DaemonOf(node).RunAsync("history", "--json", "--last", "0");
        return [.. answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => HistoryLine.Read(Encoding.UTF8.GetBytes(line))!)];
    }
}
