using Harepd.Core;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Runtime;

/// <summary><see cref="DurableMemory"/> by the calendar: milliseconds since 1970. What came later is missing in files of earlier versions.</summary>
internal sealed record KeptMemory(int Version, long[] Failovers, long CountedTerm, long PauseNumber, long PausedUntil)
{
    public long MaintainedUntil { get; init; }

    public long FencedUntil { get; init; }

    public bool IsStopped { get; init; }

    public MoveNote? Move { get; init; }

    public ScheduleNote? Scheduled { get; init; }

    public static KeptMemory Of(DurableMemory memory, int version, Instant now, long unixMillis) => new(
        version,
        [.. memory.Failovers.Select(at => unixMillis - (long)(now - at).TotalMilliseconds)],
        memory.CountedTerm.Value,
        memory.PauseNumber,
        Until(memory.PausedUntil, now, unixMillis))
    {
        MaintainedUntil = Until(memory.MaintainedUntil, now, unixMillis),
        FencedUntil = Until(memory.FencedUntil, now, unixMillis),
        IsStopped = memory.IsStopped,
        Move = memory.Move is { } move ? MoveNote.Of(move, now, unixMillis) : null,
        Scheduled = memory.Scheduled is { } scheduled ? ScheduleNote.Of(scheduled, now, unixMillis) : null,
    };

    /// <summary>A calendar that was set back since must neither make a failover of the future nor a pause without an end.</summary>
    public DurableMemory ToMemory(Instant now, long unixMillis)
    {
        return new DurableMemory
        {
            Failovers = [.. (Failovers ?? []).TakeLast(FlapGuard.Kept).Select(at => now - TimeSpan.FromMilliseconds(Math.Clamp(unixMillis - at, 0, TimeSpan.FromDays(1).TotalMilliseconds))).Order()],
            CountedTerm = new Term(Math.Max(0, CountedTerm)),
            PauseNumber = Math.Clamp(PauseNumber, 0, unixMillis + (long)FailoverPause.Longest.TotalMilliseconds),
            PausedUntil = Left(PausedUntil, FailoverPause.Longest),
            MaintainedUntil = Left(MaintainedUntil, LocalOrder.Longest),
            FencedUntil = Left(FencedUntil, LocalOrder.Longest),
            IsStopped = IsStopped,
            Move = Move?.ToMove(now, unixMillis),
            Scheduled = Scheduled?.ToSchedule(now, unixMillis),
        };

        Instant Left(long until, TimeSpan longest) => until > unixMillis ? now + TimeSpan.FromMilliseconds(Math.Min(until - unixMillis, longest.TotalMilliseconds)) : Instant.Zero;
    }

    private static long Until(Instant until, Instant now, long unixMillis) => until > now ? unixMillis + (long)(until - now).TotalMilliseconds : 0;
}

/// <summary>A planned move under way, as it is kept; one that makes no sense counts for nothing.</summary>
internal sealed record MoveNote(long Number, bool IsRestart, string To, string ToName, long Term, uint Timeline, ulong SwitchLsn, ulong System, ulong End, long Began)
{
    public long HaltedUntil { get; init; }

    public static MoveNote Of(KeptMove move, Instant now, long unixMillis) => new(
        move.Number, move.IsRestart, move.To.Address ?? "", move.ToName, move.Term.Value, move.Timeline.Timeline, move.Timeline.SwitchLsn.Value, move.System.Value, move.End.Value,
        unixMillis - (long)(now - move.Began).TotalMilliseconds)
    {
        HaltedUntil = move.HaltedUntil == Instant.Zero ? 0 : unixMillis + (long)(move.HaltedUntil - now).TotalMilliseconds,
    };

    public KeptMove? ToMove(Instant now, long unixMillis) => Number <= 0 || Term <= 0 || Timeline == 0 || System == 0 || To is not { Length: > 0 } || ToName is null ? null : new KeptMove
    {
        Number = Number,
        IsRestart = IsRestart,
        To = new MemberId(To),
        ToName = ToName,
        Term = new Term(Term),
        Timeline = new TimelinePoint(Timeline, new Lsn(SwitchLsn)),
        System = new SystemId(System),
        End = new Lsn(End),
        HaltedUntil = HaltedUntil == 0 ? Instant.Zero : now + TimeSpan.FromMilliseconds(Math.Clamp(HaltedUntil - unixMillis, 0, LocalOrder.Longest.TotalMilliseconds)),
        Began = now - TimeSpan.FromMilliseconds(Math.Clamp(unixMillis - Began, 0, TimeSpan.FromDays(3650).TotalMilliseconds)),
    };
}

/// <summary>A move that waits for its time, as it is kept.</summary>
internal sealed record ScheduleNote(string To, double PauseMs, bool IsRestart, long Due)
{
    public static ScheduleNote Of(KeptSchedule scheduled, Instant now, long unixMillis) => new(
        scheduled.To, scheduled.Pause.TotalMilliseconds, scheduled.IsRestart, unixMillis + (long)(scheduled.Due - now).TotalMilliseconds);

    /// <summary>One that is further away than any may be ordered was kept by another calendar.</summary>
    public KeptSchedule? ToSchedule(Instant now, long unixMillis) =>
        To is null || Due - unixMillis > MoveOrder.LongestDelay.TotalMilliseconds || PauseMs is not (>= 1000 and <= 60_000)
            ? null
            : new KeptSchedule(To, TimeSpan.FromMilliseconds(PauseMs), IsRestart, now + TimeSpan.FromMilliseconds(Math.Max(Due - unixMillis, -TimeSpan.FromDays(3650).TotalMilliseconds)));
}
