using System.Globalization;
using System.Text;
using System.Text.Json;
using Harepd.Control;
using Harepd.Core.Model;
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
/// Planned moves by harepd on one cluster, back and forth, under writers that keep their sessions and such that connect anew for each write.
/// What was measured is printed, never judged. <c>HAREPD_ROUNDS</c> repeats them.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class SwitchoverTests(ITestOutputHelper output)
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("HAREPD_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 3;

    // A client that comes during a move waits for as long as HAProxy lets it.
    private static readonly WriterOptions Patient = new() { Clients = 2, Rate = 100, KeepSession = false, ConnectLimit = TimeSpan.FromSeconds(20), CommandLimit = TimeSpan.FromSeconds(20) };

    private readonly List<double> pauses = [];

    [Fact]
    public async Task The_primary_moves_back_and_forth_without_loss_and_without_an_error_for_who_comes_new()
    {
        var options = new LabClusterOptions { Harepd = new() { Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd" } } };
        await using var cluster = await LabCluster.StartAsync(options);
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        await ReadyAsync(cluster, primary);
        await RefuseAsync(cluster, primary);
        await RestartAsync(cluster, primary);
        for (var round = 0; round < Rounds; round++)
        {
            primary = await MoveAsync(cluster, primary);
        }

        // A member's answer about its history is bounded, and holds no more than some of these moves.
        if (Rounds <= 5)
        {
            await RememberAsync(cluster);
        }

        var sorted = pauses.Order().ToList();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sorted.Count} moves; pause of writers through HAProxy: median {sorted[sorted.Count / 2]:F0} ms, {sorted[0]:F0} to {sorted[^1]:F0} ms"));
    }

    /// <summary>Every member knows afterwards who moved what, when, and how long each step took; the own history also without a daemon.</summary>
    private static async Task RememberAsync(LabCluster cluster)
    {
        var all = await HistoryAsync(cluster, "--cluster");
        Assert.Equal(Rounds, all.Count(line => line is { Kind: "MoveEnded", To: "Moved", Actor: "operator", TookMs: > 0 }));
        Assert.Equal(Rounds, all.Count(line => line is { Kind: "MoveStep", From: "Stop", To: "HandOver", TookMs: > 0 }));
        Assert.Equal(Rounds, all.Count(line => line is { Kind: "PromotionDone", Actor: "operator", TookMs: > 0, Timeline: > 1, SwitchLsn: not null }));

        // One lease for each move, and three of the first primary: at first, after the daemons were restarted, and after its server was.
        Assert.Equal(Rounds + 3, all.Count(line => line.Kind == "HolderSeen" && line.Node == cluster.Repmgr.Witness.Name));
        using var client = new HttpClient();
        var ended = await client.GetStringAsync($"http://{cluster.Repmgr.Witness.Server.Address}:{LabCluster.HttpPort}/history");
        Assert.Equal(Rounds, JsonDocument.Parse(ended).RootElement.GetArrayLength());

        await cluster.Daemon1.StopAsync();
        Assert.Contains(await HistoryAsync(cluster), line => line is { Kind: "Stopping", Actor: "operator" });
        cluster.Daemon1.Start();
    }

    private static async Task<IReadOnlyList<HistoryLine>> HistoryAsync(LabCluster cluster, params string[] more)
    {
        var answer = await cluster.Daemon1.RunAsync(["history", "--json", "--last", "0", .. more]);
        Assert.Equal(0, answer.ExitCode);
        return [.. answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => HistoryLine.Read(Encoding.UTF8.GetBytes(line))!)];
    }

    private static async Task RefuseAsync(LabCluster cluster, RepmgrNode primary)
    {
        var standby = cluster.OtherThan(primary);
        var elsewhere = await cluster.DaemonOf(standby).RunAsync("switchover");
        Assert.Equal(75, elsewhere.ExitCode);
        Assert.Contains($"the primary is {primary.Name}", elsewhere.Output, StringComparison.Ordinal);

        var unknown = await cluster.DaemonOf(primary).RunAsync("switchover", "--to", "node_9");
        Assert.Equal(75, unknown.ExitCode);

        // A pause is for failovers alone.
        Assert.Equal(0, (await cluster.DaemonOf(standby).RunAsync("pause", "--for", "1m")).ExitCode);
        Assert.Contains("nobody takes over by itself for another", (await cluster.DaemonOf(standby).RunAsync("status")).Output, StringComparison.Ordinal);
        var later = await cluster.DaemonOf(primary).RunAsync("switchover", "--at", DateTimeOffset.UtcNow.AddHours(1).ToString("O", CultureInfo.InvariantCulture));
        Assert.Equal(0, later.ExitCode);
        Assert.Contains("a planned move waits for its time", (await cluster.DaemonOf(primary).RunAsync("status", "--json")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await cluster.DaemonOf(primary).RunAsync("switchover", "--cancel")).ExitCode);
        var possible = await cluster.DaemonOf(primary).RunAsync("switchover", "--dry-run", "--json");
        Assert.Equal(0, possible.ExitCode);
        Assert.Contains("\"Possible\"", possible.Output, StringComparison.Ordinal);
        Assert.Equal(Gate.ReadWrite, GateOnDisk.Of(primary.Server));
        await OutlastAsync(cluster);
        Assert.Equal(0, (await cluster.DaemonOf(primary).RunAsync("resume")).ExitCode);
    }

    /// <summary>A pause outlasts the restart of every daemon, and nobody is left that could tell of it.</summary>
    private static async Task OutlastAsync(LabCluster cluster)
    {
        foreach (var daemon in cluster.Daemons)
        {
            Assert.True(await daemon.StopAsync());
        }

        var (primary, standby) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        cluster.StartDaemons();
        await cluster.WaitForServingAsync(primary);
        await ReadyAsync(cluster, primary);
        primary.Server.KillPostmaster();
        await Wait.UntilAsync(
            async () => (await cluster.DaemonOf(standby).RunAsync("status", "--json")).Output.Contains("paused failovers", StringComparison.Ordinal),
            $"{standby.Name} to say that it is paused",
            detail: cluster.Describe);
        await primary.Server.WaitForEndAsync();
        await primary.Server.StartAsync();
        await cluster.WaitForServingAsync(primary);
        await ReadyAsync(cluster, primary);
    }

    /// <summary>PostgreSQL is restarted where it is: whoever comes new waits, nothing acknowledged is lost, nobody takes over.</summary>
    private async Task RestartAsync(LabCluster cluster, RepmgrNode primary)
    {
        const string started = "SELECT pg_postmaster_start_time()::text";
        await using var writers = await Writers.StartAsync(cluster);
        await using var visitors = cluster.WriteThroughHaproxy(Patient, number: 7);
        await visitors.FirstAfterAsync(LabClock.Now);
        var before = await primary.Server.ScalarAsync<string>(started);
        var held = Instant.Forever;
        var ended = await Orders.AskAsync(cluster, primary, new ControlRequest("restart"), answer =>
        {
            held = answer is { Event: "done", Subject: "Hold" } ? LabClock.Now : held;
            return Task.CompletedTask;
        });

        Assert.True(ended is { Event: "ended", Subject: "Restarted" }, $"{ended}\n{cluster.Describe()}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{primary.Name} restarted: harepd says that clients waited {ended.PauseMs:F0} ms"));
        Assert.NotEqual(before, await primary.Server.ScalarAsync<string>(started));
        await writers.WaitForWriteAsync(primary, afterSeconds: 1);
        await writers.StopAsync();
        await visitors.StopAsync();
        var all = writers.All.Concat(visitors.Attempts).ToList();
        Assert.Empty(Analyser.Lost(all, await primary.Server.WrittenIdsAsync()));
        Assert.Empty(visitors.Attempts.Where(attempt => !attempt.IsAcknowledged && attempt.Begin > held).Select(attempt => attempt.Error));
        Assert.Equal([primary.Name], await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend));
        await ReadyAsync(cluster, primary);
    }

    private async Task<RepmgrNode> MoveAsync(LabCluster cluster, RepmgrNode old)
    {
        var next = cluster.OtherThan(old);
        await using var watch = HaproxyWatch.Start(cluster.Haproxy);
        await using var writers = await Writers.StartAsync(cluster);
        await using var visitors = cluster.WriteThroughHaproxy(Patient, number: 7);
        await visitors.FirstAfterAsync(LabClock.Now);

        var begin = LabClock.Now;
        var held = Instant.Forever;
        var ended = await Orders.AskAsync(cluster, old, new ControlRequest("switchover", next.Name), answer =>
        {
            held = answer is { Event: "done", Subject: "Hold" } ? LabClock.Now : held;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {answer.Event} {answer.Subject} {answer.Ms:F1} ms {answer.Detail}"));
            return Task.CompletedTask;
        });

        Assert.True(ended is { Event: "ended", Subject: "Moved" }, $"{ended}\n{cluster.Describe()}");
        await cluster.WaitForServingAsync(next);
        await writers.WaitForWriteAsync(next, afterSeconds: 1);
        await writers.StopAsync();
        await visitors.StopAsync();

        var all = writers.All.Concat(visitors.Attempts).ToList();
        var pause = Analyser.LongestGap(writers.Main.Attempts, begin, LabClock.Now - TimeSpan.FromSeconds(1))!.Value;
        pauses.Add(pause.TotalMilliseconds);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{old.Name} to {next.Name}: writers paused {pause.TotalMilliseconds:F0} ms, harepd says {ended.PauseMs:F0} ms"));
        Assert.Empty(Analyser.Lost(all, await next.Server.WrittenIdsAsync()));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(all));
        Assert.Empty(visitors.Attempts.Where(attempt => !attempt.IsAcknowledged && attempt.Begin > held).Select(attempt => attempt.Error));
        Assert.Empty(await watch.StopAsync());
        await ReadyAsync(cluster, next);
        return next;
    }

    /// <summary>A healthy cluster: the other server streams, and its daemon knows of the primary.</summary>
    private static async Task ReadyAsync(LabCluster cluster, RepmgrNode primary)
    {
        var standby = cluster.OtherThan(primary);
        await RepmgrCluster.WaitForStreamingAsync(standby.Server);
        await RepmgrCluster.WaitForCatchUpAsync(standby.Server, primary.Server);
        await cluster.WaitForKnownAsync(standby, primary);
        await cluster.WaitForMoveAsync(primary);
    }
}
