using Harepd.Core.Model;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>One fault and the clients that live through it: on each side of the cut a pool behind its HAProxy, and one client straight at each server.</summary>
internal sealed class FaultRun : IAsyncDisposable
{
    /// <summary>The lab's lease (the default): nobody may write to a server for longer after it last reached a majority.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    // Service that is not back by then is not slow but broken.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(50);

    private readonly string fault;
    private readonly List<Writer> writers;
    private Instant struck = LabClock.Now;
    private Instant? mended;
    private int restarts;

    private FaultRun(string fault, Sides sides)
    {
        this.fault = fault;
        Sides = sides;
        Near = Pool(sides.NearHaproxy, sides.NearClient, number: 1);
        Far = Pool(sides.FarHaproxy, sides.FarClient, number: 2);
        writers =
        [
            Near,
            Far,
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

    /// <summary>Begins, with an empty table, and waits until both pools write.</summary>
    public static async Task<FaultRun> StartAsync(string fault, Sides sides)
    {
        await sides.Primary.Server.ExecuteAsync("TRUNCATE lab_writes", "app", "app");
        var run = new FaultRun(fault, sides);
        await run.WaitForWriteAsync(run.Near, sides.Primary);
        await run.WaitForWriteAsync(run.Far, sides.Primary);
        await RepmgrCluster.WaitForCatchUpAsync(sides.Standby.Server, sides.Primary.Server);
        return run;
    }

    /// <summary>More clients, judged with the others.</summary>
    public Writer Add(Writer writer)
    {
        writers.Add(writer);
        return writer;
    }

    /// <summary>The fault strikes now; durations count from here.</summary>
    public void Strike() => struck = LabClock.Now;

    /// <summary>The network is whole again from now on.</summary>
    public async Task HealAsync()
    {
        await Sides.Network.HealAsync();
        Mend();
    }

    /// <summary>What was broken is whole from now on.</summary>
    public void Mend() => mended = LabClock.Now;

    /// <summary>
    /// Waits for a write through a HAProxy that a node acknowledges after so many seconds from now. A server that its own fence had to stop,
    /// because the sessions could not be ended in time, is started again as a service manager would; the figures count it.
    /// </summary>
    /// <exception cref="LabException">None in time; the message holds the ends of all logs.</exception>
    public async Task WaitForWriteAsync(Writer pool, RepmgrNode node, double afterSeconds = 0)
    {
        var after = LabClock.Now + TimeSpan.FromSeconds(afterSeconds);
        await Wait.UntilAsync(
            async () =>
            {
                if (!node.Server.IsRunning)
                {
                    restarts++;
                    await node.Server.WaitForEndAsync();
                    await node.Server.StartAsync();
                }

                return pool.Attempts.Any(attempt => attempt.IsAcknowledged && attempt.End > after && attempt.Server == Place(node));
            },
            $"a write at {node.Name} through HAProxy: {fault}",
            Patience,
            poll: Calm,
            detail: Sides.Cluster.Describe);
    }

    /// <summary>Waits until both pools have gone on writing to a node for so many seconds.</summary>
    public async Task WaitForServiceAsync(RepmgrNode node, double afterSeconds = 0)
    {
        await WaitForWriteAsync(Near, node, afterSeconds);
        await WaitForWriteAsync(Far, node);
    }

    /// <summary>Waits until a server's block is shut on disk and no client has written to it for a while, by any way.</summary>
    public Task WaitForSilenceAsync(RepmgrNode node) => Wait.UntilAsync(
        () => GateOnDisk.Of(node.Server) == Gate.Fenced && LabClock.Now - LastBegin(node) > TimeSpan.FromMilliseconds(300),
        $"clients of {node.Name} to be refused: {fault}",
        poll: Calm,
        detail: Sides.Cluster.Describe);

    /// <summary>Writes of the pools that failed since the fault.</summary>
    public int Failures => Near.Attempts.Concat(Far.Attempts).Count(attempt => attempt.End > struck && !attempt.IsAcknowledged);

    /// <summary>
    /// The old primary took nothing after the end of the last lease that it can have had. A promise of the lease itself, read by the clock that
    /// the lease goes by: a slow machine makes both late.
    /// </summary>
    public void AssertShutWithinLease() =>
        Assert.True(LastBegin(Sides.Primary) < struck + Lease, $"{fault}: {Sides.Primary.Name} took a write begun {(LastBegin(Sides.Primary) - struck).TotalMilliseconds:0} ms after");

    /// <summary>
    /// Ends the writers and judges their records against the server that has the say now: no two writers, directly or not, and nothing lost that
    /// replication had delivered. The figures are kept.
    /// </summary>
    /// <param name="rogue">A server that was promoted although another held the lease: direct clients may have had a moment, HAProxy's none.</param>
    public async Task<FaultFigures> JudgeAsync(RepmgrNode survivor, RepmgrNode? rogue = null)
    {
        await StopAsync();
        IReadOnlyList<WriteAttempt> all = [.. writers.SelectMany(writer => writer.Attempts)];
        IReadOnlyList<WriteAttempt> judged = [.. all.Where(attempt => rogue is null || attempt.Server != Place(rogue))];
        var lost = Analyser.Lost(judged, await survivor.Server.WrittenIdsAsync());
        var figures = new FaultFigures
        {
            Fault = fault,
            NearGapMs = Milliseconds(Gap(Near, struck)),
            FarGapMs = Milliseconds(Gap(Far, struck)),
            MendGapMs = mended is { } moment ? Milliseconds(LongestWait(moment)) : null,
            OldPrimarysLastWriteMs = survivor == Sides.Primary ? null : Milliseconds(LastBegin(Sides.Primary) - struck),
            TwoWritersMs = Milliseconds(Analyser.TwoWriters(judged)),
            RogueMs = rogue is null ? null : Milliseconds(Reign(all, rogue)),
            ServersStopped = restarts,
            Acknowledged = judged.Count(attempt => attempt.IsAcknowledged),
            Lost = lost.Count,
            LostThoughDelivered = Analyser.LostThoughDelivered(judged, lost, await PromotionWatch.TimelineEndsAsync(survivor.Server)).Count,
            Open = [.. Analyser.Reigns(all).Select(Told)],
        };
        FigureFile.Keep(figures);
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(judged));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters([.. Near.Attempts, .. Far.Attempts]));
        Assert.Equal(0, figures.LostThoughDelivered);
        return figures;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in writers)
        {
            await writer.DisposeAsync();
        }
    }

    private static Writer Pool(HaproxyServer haproxy, NetworkMachine client, int number) =>
        Writer.Start(haproxy.Address, haproxy.WritePort, number, new WriterOptions { Clients = 2, Rate = 50, From = client });

    // Every refused login is a process forked by the server: clients that press harder would be the fault that is measured.
    private static Writer Straight(RepmgrNode node, NetworkMachine client, int number) => Writer.Start(
        node.Server.Address, node.Server.Port, number, new WriterOptions { Clients = 1, Rate = 50, From = client, RetryPause = TimeSpan.FromMilliseconds(50) });

    private static string Place(RepmgrNode node) => $"{node.Server.Address}:{node.Server.Port}";

    private static TimeSpan? Gap(Writer pool, Instant from) =>
        Analyser.LongestGap(pool.Attempts, from, pool.Attempts.LastOrDefault(attempt => attempt.IsAcknowledged)?.End ?? from);

    // Of both pools, the time before the mending left out.
    private TimeSpan LongestWait(Instant from)
    {
        var longest = TimeSpan.Zero;
        foreach (var pool in new[] { Near, Far })
        {
            var last = from;
            foreach (var end in pool.Attempts.Where(attempt => attempt.IsAcknowledged && attempt.End > from).Select(attempt => attempt.End).Order())
            {
                longest = end - last > longest ? end - last : longest;
                last = end;
            }
        }

        return longest;
    }

    private static TimeSpan Reign(IEnumerable<WriteAttempt> attempts, RepmgrNode node) => Analyser.Reigns(attempts)
        .Where(reign => reign.Server == Place(node))
        .Select(reign => reign.LastBegin - reign.FirstEnd)
        .Select(span => span > TimeSpan.Zero ? span : TimeSpan.Zero)
        .DefaultIfEmpty(TimeSpan.Zero)
        .Max();

    private static double? Milliseconds(TimeSpan? span) => span is { } known ? Math.Round(known.TotalMilliseconds) : null;

    private string Told(Reign reign) =>
        $"{reign.Server} on timeline {reign.Timeline}: {Milliseconds(reign.FirstEnd - struck)} to {Milliseconds(reign.LastBegin - struck)} ms";

    // The begin of the last acknowledged one: it was certainly still allowed then.
    private Instant LastBegin(RepmgrNode node) => writers
        .SelectMany(writer => writer.Attempts)
        .Where(attempt => attempt.IsAcknowledged && attempt.Server == Place(node))
        .Select(attempt => attempt.Begin)
        .DefaultIfEmpty(Instant.Zero)
        .Max();

    private async Task StopAsync()
    {
        foreach (var writer in writers)
        {
            await writer.StopAsync();
        }
    }
}
