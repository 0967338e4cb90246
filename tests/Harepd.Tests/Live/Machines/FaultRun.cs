using Harepd.Core.Model;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>One fault and the clients that live through it: on each side of the cut a pool behind its HAProxy, and one client straight at each server.</summary>
internal sealed class FaultRun : IAsyncDisposable
{
    private readonly string fault;
    private readonly Writer[] direct;
    private Instant begun = LabClock.Now;

    private FaultRun(string fault, Sides sides)
    {
        this.fault = fault;
        Sides = sides;
        Near = Pool(sides.NearHaproxy, sides.NearClient, number: 1);
        Far = Pool(sides.FarHaproxy, sides.FarClient, number: 2);
        direct =
        [
            Straight(sides.Primary, sides.NearClient, number: 3),
            Straight(sides.Standby, sides.NearClient, number: 4),
            Straight(sides.Primary, sides.FarClient, number: 5),
            Straight(sides.Standby, sides.FarClient, number: 6),
        ];
    }

    public Sides Sides { get; }

    /// <summary>The pool behind the HAProxy on the primary's side.</summary>
    public Writer Near { get; }

    /// <summary>The pool behind the HAProxy on the standby's side.</summary>
    public Writer Far { get; }

    private IReadOnlyList<WriteAttempt> All => [.. Near.Attempts, .. Far.Attempts, .. direct.SelectMany(writer => writer.Attempts)];

    /// <summary>Begins, with an empty table, and waits until both pools write.</summary>
    public static async Task<FaultRun> StartAsync(string fault, Sides sides)
    {
        await sides.Primary.Server.ExecuteAsync("TRUNCATE lab_writes", "app", "app");
        var run = new FaultRun(fault, sides);
        await run.Near.FirstAfterAsync(LabClock.Now);
        await run.Far.FirstAfterAsync(LabClock.Now);
        await RepmgrCluster.WaitForCatchUpAsync(sides.Standby.Server, sides.Primary.Server);
        return run;
    }

    /// <summary>The fault strikes now; durations count from here.</summary>
    public void Strike() => begun = LabClock.Now;

    /// <summary>Waits for a write through a HAProxy that a node acknowledges after so many seconds from now.</summary>
    /// <exception cref="LabException">None in time; the message holds the ends of all logs.</exception>
    public async Task WaitForWriteAsync(Writer pool, RepmgrNode node, double afterSeconds = 0)
    {
        try
        {
            await pool.FirstAfterAsync(LabClock.Now + TimeSpan.FromSeconds(afterSeconds), server: node.Server);
        }
        catch (LabException e)
        {
            throw new LabException($"{e.Message}\n{Sides.Cluster.Describe()}", e);
        }
    }

    /// <summary>Waits until clients have not been able to write to a server, by any way, for some time.</summary>
    public Task WaitForSilenceAsync(RepmgrNode node, TimeSpan quiet) => Wait.UntilAsync(
        () => LabClock.Now - LastWrite(node) > quiet,
        $"clients of {node.Name} to be refused",
        detail: Sides.Cluster.Describe);

    /// <summary>
    /// Ends the writers and judges their records against the server that has the say now: no two writers, directly or not, and nothing lost that
    /// replication had delivered. The figures are kept.
    /// </summary>
    public async Task<FaultFigures> JudgeAsync(RepmgrNode survivor)
    {
        await StopAsync();
        var all = All;
        var lost = Analyser.Lost(all, await survivor.Server.WrittenIdsAsync());
        var figures = new FaultFigures
        {
            Fault = fault,
            NearGapMs = Milliseconds(Analyser.LongestGap(Near.Attempts, begun, LastEnd(Near))),
            FarGapMs = Milliseconds(Analyser.LongestGap(Far.Attempts, begun, LastEnd(Far))),
            OldPrimarysLastWriteMs = survivor == Sides.Primary ? null : Milliseconds(LastWrite(Sides.Primary) - begun),
            TwoWritersMs = Analyser.TwoWriters(all).TotalMilliseconds,
            Acknowledged = all.Count(attempt => attempt.IsAcknowledged),
            Lost = lost.Count,
            LostThoughDelivered = Analyser.LostThoughDelivered(all, lost, await PromotionWatch.TimelineEndsAsync(survivor.Server)).Count,
        };
        FigureFile.Keep(figures);
        Assert.Equal(0, figures.TwoWritersMs);
        Assert.Equal(0, figures.LostThoughDelivered);
        return figures;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in direct.Append(Near).Append(Far))
        {
            await writer.DisposeAsync();
        }
    }

    private static Writer Pool(HaproxyServer haproxy, NetworkMachine client, int number) =>
        Writer.Start(haproxy.Address, haproxy.WritePort, number, new WriterOptions { Clients = 2, Rate = 50, From = client });

    private static Writer Straight(RepmgrNode node, NetworkMachine client, int number) =>
        Writer.Start(node.Server.Address, node.Server.Port, number, new WriterOptions { Clients = 1, Rate = 50, From = client });

    private static Instant LastEnd(Writer writer) => writer.Attempts.LastOrDefault(attempt => attempt.IsAcknowledged)?.End ?? Instant.Zero;

    private static double? Milliseconds(TimeSpan? span) => span is { } known ? Math.Round(known.TotalMilliseconds) : null;

    // The answer of the last acknowledged one.
    private Instant LastWrite(RepmgrNode node) => All
        .Where(attempt => attempt.IsAcknowledged && attempt.Server == $"{node.Server.Address}:{node.Server.Port}")
        .Select(attempt => attempt.End)
        .DefaultIfEmpty(Instant.Zero)
        .Max();

    private async Task StopAsync()
    {
        foreach (var writer in direct.Append(Near).Append(Far))
        {
            await writer.StopAsync();
        }
    }
}
