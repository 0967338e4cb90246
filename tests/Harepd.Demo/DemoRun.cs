using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Demo;

/// <summary>
/// The main job, shown: a planned switchover and a killed postmaster, again and again, while clients write. What each came to is judged by
/// the clients' records alone.
/// </summary>
internal sealed class DemoRun(LabCluster cluster, DemoClients clients, IDemoView view)
{
    // Service that is not back by then is not slow but broken.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<DemoEvent> events = [];
    private int acknowledgedBefore;
    private int lostBefore;

    /// <summary>Runs all rounds; returns the summary, which is also reported.</summary>
    public async Task<DemoEvent> RunAsync(int rounds)
    {
        var (primary, standby) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        view.Step($"waiting until HAProxy serves {primary.Name}");
        await cluster.WaitForServingAsync(primary, Patience);
        await clients.Main.FirstAfterAsync(LabClock.Now, Patience);
        Report(await JudgeAsync(new DemoEvent { Event = "started", To = primary.Name, WriteGapMs = 0 }, primary));
        for (var round = 1; round <= rounds; round++)
        {
            Report(await SwitchoverAsync(round, primary, standby));
            await RejoinAsync(primary, standby);
            Report(await FailoverAsync(round, standby, primary));
            await RejoinAsync(standby, primary);
        }

        return Report(await SummaryAsync(primary));
    }

    // What "repmgr standby switchover" does without SSH: a fast stop, so that the standby has received everything, then the promotion.
    private async Task<DemoEvent> SwitchoverAsync(int round, RepmgrNode old, RepmgrNode next)
    {
        view.Step($"round {round}: switchover from {old.Name} to {next.Name}: fast stop, repmgr standby promote");
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        var begin = LabClock.Now;
        var writable = PromotionWatch.Start(next.Server);
        await old.Server.StopAsync();
        var promotion = await RepmgrCluster.PromoteAsync(next);
        var wrong = promotion.Succeeded ? [] : new List<string> { $"repmgr standby promote ended with {promotion.ExitCode}" };
        return await AfterPromotionAsync(new DemoEvent { Event = "switchover", Round = round, From = old.Name, To = next.Name, Wrong = wrong }, next, begin, writable);
    }

    private async Task<DemoEvent> FailoverAsync(int round, RepmgrNode old, RepmgrNode next)
    {
        view.Step($"round {round}: kill -9 of {old.Name}'s postmaster; repmgrd on {next.Name} promotes");
        await next.StartDaemonAsync();
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        var begin = LabClock.Now;
        var writable = PromotionWatch.Start(next.Server);
        old.Server.KillPostmaster();
        var judged = await AfterPromotionAsync(new DemoEvent { Event = "failover", Round = round, From = old.Name, To = next.Name }, next, begin, writable);
        await RepmgrCluster.WaitForRegisteredAsync(next);
        await next.StopDaemonAsync();
        return judged;
    }

    private async Task RejoinAsync(RepmgrNode old, RepmgrNode primary)
    {
        view.Step($"{old.Name} rejoins as a standby: repmgr node rejoin");
        await RepmgrCluster.RejoinAsync(old, primary);
        await RepmgrCluster.WaitForCatchUpAsync(old.Server, primary.Server);
    }

    private async Task<DemoEvent> AfterPromotionAsync(DemoEvent happened, RepmgrNode next, Instant begin, Task<Instant> writable)
    {
        var outOfRecovery = await writable;
        var first = await clients.Main.FirstAfterAsync(begin, Patience, next.Server);
        var gap = Analyser.LongestGap(clients.Main.Attempts, begin, first.End);
        return await JudgeAsync(
            happened with
            {
                WriteGapMs = Milliseconds(gap),
                PromotionToFirstWriteMs = Milliseconds(first.End - PromotionWatch.LastRequest(next.Server)),
                WritableToFirstWriteMs = Milliseconds(first.End - outOfRecovery),
            },
            next);
    }

    // Counts and compares what the clients were told with what the primary has.
    private async Task<DemoEvent> JudgeAsync(DemoEvent happened, RepmgrNode primary)
    {
        // Taken before the server is asked: a write acknowledged by now must be there then.
        var attempts = clients.All;
        var lost = Analyser.Lost(attempts, await primary.Server.WrittenIdsAsync());
        var delivered = Analyser.LostThoughDelivered(attempts, lost, await PromotionWatch.TimelineEndsAsync(primary.Server));
        var acknowledged = attempts.Count(attempt => attempt.IsAcknowledged);
        var judged = happened with
        {
            WritesAcknowledged = acknowledged - acknowledgedBefore,
            WritesLost = lost.Count - lostBefore,
            WritesLostThoughDelivered = delivered.Count,
            TwoWritersMs = Analyser.TwoWriters(attempts).TotalMilliseconds,
        };
        (acknowledgedBefore, lostBefore) = (acknowledged, lost.Count);
        return judged with { Wrong = [.. happened.Wrong, .. WhatIsWrong(judged)] };
    }

    private static IEnumerable<string> WhatIsWrong(DemoEvent judged)
    {
        if (judged.TwoWritersMs > 0)
        {
            yield return "two servers took writes at the same time";
        }

        if (judged.WritesLostThoughDelivered > 0)
        {
            yield return "acknowledged writes that the standby had received are lost";
        }

        if (judged is { Event: "switchover", WritesLost: > 0 })
        {
            yield return "a planned switchover lost acknowledged writes";
        }
    }

    private async Task<DemoEvent> SummaryAsync(RepmgrNode primary)
    {
        var summary = await JudgeAsync(new DemoEvent { Event = "summary", To = primary.Name }, primary);
        var switchovers = events.Where(happened => happened.Event == "switchover").ToList();
        return summary with
        {
            WriteGapMs = Median(switchovers.Select(happened => happened.WriteGapMs)),
            PromotionToFirstWriteMs = Median(events.Select(happened => happened.PromotionToFirstWriteMs)),
            WritableToFirstWriteMs = Median(events.Select(happened => happened.WritableToFirstWriteMs)),
            WritesAcknowledged = acknowledgedBefore,
            WritesLost = lostBefore,
            Wrong = [.. summary.Wrong, .. events.SelectMany(happened => happened.Wrong.Select(wrong => $"round {happened.Round}: {wrong}"))],
        };
    }

    private DemoEvent Report(DemoEvent happened)
    {
        events.Add(happened);
        view.Report(happened);
        return happened;
    }

    private static double? Milliseconds(TimeSpan? span) => span is { } value ? Math.Round(value.TotalMilliseconds, 1) : null;

    private static double? Median(IEnumerable<double?> values)
    {
        var sorted = values.OfType<double>().Order().ToList();
        return sorted.Count == 0 ? null : sorted[(sorted.Count - 1) / 2];
    }
}
