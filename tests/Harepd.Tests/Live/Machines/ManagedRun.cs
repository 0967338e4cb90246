using System.Globalization;
using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>
/// One fault of a primary that harepd replaces, and the clients that live through it: a pool behind each HAProxy, one client straight at each server. The old
/// primary and its side are on one side, everything else on the other.
/// </summary>
internal sealed class ManagedRun : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A client that comes during a planned move waits for as long as HAProxy lets it.
    private static readonly WriterOptions Patient = new()
    {
        Clients = 1, Rate = 25, KeepSession = false, ConnectLimit = TimeSpan.FromSeconds(20), CommandLimit = TimeSpan.FromSeconds(20),
    };

    private readonly string fault;
    private readonly LabCluster cluster;
    private readonly RepmgrNode old;
    private readonly bool isLossless;
    private readonly Writer near;
    private readonly Writer far;
    private readonly List<Writer> writers;
    private readonly List<Writer> visitors = [];
    private Instant struck;
    private DateTimeOffset struckAt;
    private RepmgrNode? next;

    private ManagedRun(string fault, LabCluster cluster, RepmgrNode old, bool isLossless)
    {
        (this.fault, this.cluster, this.old, this.isLossless) = (fault, cluster, old, isLossless);
        var network = cluster.Lab.Network!;
        // The third node has no HAProxy and client of its own beside it: it shares those of the first.
        var side = old.Id == 2 ? 1 : 0;
        var (nearHaproxy, farHaproxy) = (cluster.Haproxies[side], cluster.Haproxies[1 - side]);
        var (nearClient, farClient) = (network[$"client_{side + 1}"], network[$"client_{2 - side}"]);
        Near = [network[old.Name], nearHaproxy.Machine!, nearClient];
        Rest = [.. Members.Where(node => node != old).Select(node => network[node.Name]), farHaproxy.Machine!, farClient];
        near = Writer.Start(nearHaproxy.Address, nearHaproxy.WritePort, 1, new WriterOptions { Clients = 2, Rate = 100, From = nearClient });
        far = Writer.Start(farHaproxy.Address, farHaproxy.WritePort, 2, new WriterOptions { Clients = 2, Rate = 100, From = farClient });
        writers = [near, far, .. cluster.Repmgr.DataNodes.SelectMany(node => new[] { Straight(node, nearClient, 10 + node.Id), Straight(node, farClient, 20 + node.Id) })];
    }

    /// <summary>The old primary with a HAProxy and a client.</summary>
    public IReadOnlyList<NetworkMachine> Near { get; }

    /// <summary>The other members with the other HAProxy and its client.</summary>
    public IReadOnlyList<NetworkMachine> Rest { get; }

    private RepmgrNode[] Members => [cluster.Repmgr.Node1, cluster.Repmgr.Node2, cluster.Repmgr.Witness];

    private IEnumerable<RepmgrNode> Others => cluster.Repmgr.DataNodes.Where(node => node != old);

    /// <summary>Begins with an empty table: the standbys have everything and know of the primary, and both pools write.</summary>
    /// <param name="fault">Its name in the figures.</param>
    /// <param name="cluster">Where.</param>
    /// <param name="old">The primary.</param>
    /// <param name="isLossless">Commits wait for a standby, and the voters know it before the fault strikes: nothing acknowledged may be lost.</param>
    public static async Task<ManagedRun> StartAsync(string fault, LabCluster cluster, RepmgrNode old, bool isLossless)
    {
        await old.Server.ExecuteAsync("TRUNCATE lab_writes", "app", "app");
        var run = new ManagedRun(fault, cluster, old, isLossless);
        foreach (var standby in run.Others)
        {
            await RepmgrCluster.WaitForCatchUpAsync(standby.Server, old.Server);
        }

        foreach (var standby in run.Others)
        {
            await Wait.UntilAsync(
                async () => (await MembersAsync(cluster, standby)).FirstOrDefault(IsHolder) is { ValueKind: JsonValueKind.Object } holder && NameOf(holder) == old.Name,
                $"{standby.Name} to hear of the primary",
                detail: cluster.Describe);
        }

        if (isLossless)
        {
            var names = run.Others.Select(standby => standby.Name).Order().ToList();
            await Wait.UntilAsync(
                async () => (await MembersAsync(cluster, old)).FirstOrDefault(member => NameOf(member) == old.Name) is { ValueKind: JsonValueKind.Object } own
                    && own.GetProperty("waits_for_noted").GetString() is { } noted && names.All(name => noted.Contains(name, StringComparison.Ordinal)),
                $"the voters to know that {old.Name} waits for {string.Join(" or ", names)}",
                Patience,
                detail: cluster.Describe);
        }

        await run.near.FirstAfterAsync(LabClock.Now, server: old.Server);
        await run.far.FirstAfterAsync(LabClock.Now, server: old.Server);
        return run;
    }

    /// <summary>From now on some clients connect anew for each write, behind both HAProxys.</summary>
    public async Task LetVisitorsComeAsync()
    {
        var network = cluster.Lab.Network!;
        visitors.AddRange(cluster.Haproxies.Select((haproxy, i) => Writer.Start(haproxy.Address, haproxy.WritePort, 30 + i, Patient with { From = network[$"client_{i + 1}"] })));
        writers.AddRange(visitors);
        foreach (var visitor in visitors)
        {
            await visitor.FirstAfterAsync(LabClock.Now);
        }
    }

    /// <summary>What those got to hear that came after this; read it once the run has ended.</summary>
    public IEnumerable<string> ErrorsOfVisitorsAfter(Instant held) =>
        visitors.SelectMany(visitor => visitor.Attempts).Where(attempt => !attempt.IsAcknowledged && attempt.Begin > held).Select(attempt => attempt.Error ?? "no answer");

    /// <summary>The fault strikes now; durations count from here.</summary>
    public void Strike() => (struck, struckAt) = (LabClock.Now, DateTimeOffset.UtcNow);

    /// <summary>Waits until the pool on the side that stays writes to another server.</summary>
    public Task WaitForSuccessorAsync() => Wait.UntilAsync(
        () => (next = Others.FirstOrDefault(node => far.Attempts.Any(attempt => attempt.IsAcknowledged && attempt.End > struck && attempt.Server == Place(node)))) is not null,
        $"a write at another server: {fault}",
        Patience,
        detail: cluster.Describe);

    /// <summary>A fence that is not confirmed before the lease ends stops the server, as it must.</summary>
    public async Task StartIfTheFenceStoppedItAsync()
    {
        if (!old.Server.IsRunning)
        {
            await old.Server.WaitForEndAsync();
            await old.Server.StartAsync();
        }
    }

    /// <summary>
    /// Waits until the old primary is a standby again by itself, every standby streams from the new one and both pools write there; then judges. Returns
    /// the new primary.
    /// </summary>
    /// <param name="mayLose">Where replication is asynchronous, what a lost primary acknowledged alone is lost.</param>
    public async Task<RepmgrNode> EndAsync(bool mayLose)
    {
        await WaitForSuccessorAsync();
        var primary = next!;
        var healed = LabClock.Now;
        foreach (var standby in cluster.Repmgr.DataNodes.Where(node => node != primary))
        {
            await cluster.WaitForStreamingAsync(standby, primary);
        }

        var rejoined = LabClock.Now - healed;
        await near.FirstAfterAsync(LabClock.Now, server: primary.Server);
        await far.FirstAfterAsync(LabClock.Now, server: primary.Server);
        await cluster.WaitForServingAsync(primary);
        foreach (var writer in writers)
        {
            await writer.StopAsync();
        }

        var all = writers.SelectMany(writer => writer.Attempts).ToList();
        var lost = Analyser.Lost(all, await primary.Server.WrittenIdsAsync());
        var served = far.Attempts.Where(attempt => attempt.IsAcknowledged && attempt.Server == Place(primary)).Min(attempt => attempt.End) - struck;
        var gap = Analyser.LongestGap(far.Attempts, struck, far.Attempts.Last(attempt => attempt.IsAcknowledged).End);
        Keep(served, gap, rejoined, lost.Count, Analyser.TwoWriters(all));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(all));
        Assert.Empty(mayLose && !isLossless ? Analyser.LostThoughDelivered(all, lost, await PromotionWatch.TimelineEndsAsync(primary.Server)) : lost);
        return primary;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in writers)
        {
            await writer.DisposeAsync();
        }
    }

    // Asked on its own machine: the test's process is on none.
    private static async Task<IReadOnlyList<JsonElement>> MembersAsync(LabCluster cluster, RepmgrNode asked)
    {
        var answer = await cluster.DaemonOf(asked).RunAsync("status", "--json");
        return !answer.Succeeded ? [] : [.. JsonDocument.Parse(answer.Output).RootElement.GetProperty("members").EnumerateArray()];
    }

    private static bool IsHolder(JsonElement report) => report.GetProperty("held_term").GetInt64() > 0;

    private static string? NameOf(JsonElement report) => report.GetProperty("node").GetString();

    private static Writer Straight(RepmgrNode node, NetworkMachine client, int number) => Writer.Start(
        node.Server.Address, node.Server.Port, number, new WriterOptions { Clients = 1, Rate = 50, From = client, RetryPause = TimeSpan.FromMilliseconds(50), OutlivesErrors = true });

    private static string Place(RepmgrNode node) => $"{node.Server.Address}:{node.Server.Port}";

    private void Keep(TimeSpan served, TimeSpan? gap, TimeSpan rejoined, int lost, TimeSpan twoWriters)
    {
        if (Environment.GetEnvironmentVariable("HAREPD_MANAGED_FIGURES") is { Length: > 0 } path)
        {
            var line = new
            {
                at = struckAt.ToString("O", CultureInfo.InvariantCulture),
                dataNodes = cluster.Repmgr.DataNodes.Count,
                fault,
                lossless = isLossless,
                servedMs = Math.Round(served.TotalMilliseconds),
                gapMs = Math.Round(gap?.TotalMilliseconds ?? -1),
                rejoinedS = Math.Round(rejoined.TotalSeconds, 1),
                lost,
                twoWritersMs = Math.Round(twoWriters.TotalMilliseconds),
            };
            File.AppendAllText(path, string.Create(CultureInfo.InvariantCulture, $"{JsonSerializer.Serialize(line)}\n"));
        }
    }
}
