using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// Brings one HAProxy to one desire: writes first (closing before opening), then reads, then what lives on in workers of before
/// a reload. Run by the lane's thread alone; every exchange is bounded by the command timeout.
/// </summary>
internal sealed class RoutePass(
    HaproxyTarget target,
    CutPass cut,
    WritePass write,
    HoldPass hold,
    RuntimeDialogue dialogue,
    OldWorkers? oldWorkers,
    TimeSpan commandTimeout,
    Func<Instant> leaseDeadline)
{
    private readonly ReadSteering _reads = new(target);

    private Instant Soon => BootClock.Now + commandTimeout;

    /// <summary>True while clients wait by this lane's doing: it looks more often then.</summary>
    internal bool IsHolding => hold.IsEngaged;

    /// <param name="desire">What to bring about.</param>
    /// <param name="held">The hold that is wished for, null for none.</param>
    /// <param name="attempt">How often it was tried.</param>
    /// <param name="seenCuts">The guard's count when the desire was taken.</param>
    /// <param name="mustHurry">True when a newer desire waits: the pass ends at its next safe point.</param>
    internal RouteOutcome Run(RouteDesire desire, HoldDesire? held, Attempt attempt, int seenCuts, Func<bool> mustHurry)
    {
        var limit = LimitOf(desire, attempt);
        var isLate = desire.Kind == RouteKind.Write && BootClock.Now >= limit;
        if (!isLate && desire.Kind == RouteKind.Write && hold.Wants(held) && hold.Engage(held!, desire.Term) is { Ok: true } engaged)
        {
            write.ForgetOpen();
            return engaged;
        }

        var outcome = isLate ? TooLate(desire, mustHurry) : Bring(desire, attempt, limit, seenCuts, mustHurry);
        if (hold.Wants(held) && desire.Kind == RouteKind.Cut && outcome.View is { } view)
        {
            hold.Keep(held!, view);
        }
        else if (!hold.Wants(held))
        {
            hold.Leave(outcome.View);
        }

        return outcome;
    }

    private Instant LimitOf(RouteDesire desire, Attempt attempt)
    {
        var lease = leaseDeadline();
        return attempt == Attempt.First && desire.NotAfter is { } notAfter ? Instant.Min(lease, notAfter) : lease;
    }

    /// <summary>
    /// Whoever still wants to write without a live lease is late, and HAProxy must not go on believing it: its server is taken out
    /// of reads too, because it may still be a primary. The guard process may have been here before, so what is found closed is no operator's.
    /// </summary>
    private RouteOutcome TooLate(RouteDesire desire, Func<bool> mustHurry)
    {
        _reads.CutBlindly();
        var cutDesire = desire with { Kind = RouteKind.Cut, ReadReady = false, EndReadSessions = true };
        var outcome = Bring(cutDesire, Attempt.Repair, Instant.Zero, seenCuts: 0, mustHurry);
        return outcome with { Ok = false, Detail = $"too late to open, {outcome.Detail}" };
    }

    private RouteOutcome Bring(RouteDesire desire, Attempt attempt, Instant limit, int seenCuts, Func<bool> mustHurry)
    {
        if (desire.Kind == RouteKind.Cut)
        {
            write.ForgetOpen();
        }

        var outcome = desire.Kind == RouteKind.Cut
            ? Cut(desire, attempt, mustHurry)
            : write.Run(desire, attempt, limit, seenCuts, mustHurry);
        if (outcome.HasChanged)
        {
            // Whoever took this server out of the writes as well (the guard process, another run) is no operator tending the reads.
            _reads.CutBlindly();
        }

        if (outcome.View is not null && !mustHurry())
        {
            outcome = Reads(desire, outcome, outcome.View);
        }

        return oldWorkers is null || mustHurry() ? outcome : EndOldSessions(desire, outcome);
    }

    private RouteOutcome Cut(RouteDesire desire, Attempt attempt, Func<bool> mustHurry)
    {
        var isBlind = attempt == Attempt.First;
        var cutsReads = isBlind && desire is { ReadReady: false, EndReadSessions: true };
        string[] blindly = !isBlind ? []
            : cutsReads ? [.. RouteCommands.CutOwn(target)]
            : RouteCommands.Cut(target.WriteBackend, target.ServerName);
        return cut.Run(blindly, alsoReads: false, Soon, mustHurry);
    }

    private RouteOutcome Reads(RouteDesire desire, RouteOutcome outcome, HaproxyView view)
    {
        var commands = _reads.Next(desire, view);
        if (commands.Length > 0)
        {
            var reading = dialogue.Do(commands, Soon);
            if (reading.View is null)
            {
                return outcome with { Ok = false, Detail = $"{outcome.Detail}; reads: {reading.Reason}" };
            }

            view = reading.View;
            outcome = outcome with { View = view, HasChanged = true };
        }

        _reads.Left(view);
        var isDone = _reads.IsDone(desire, view, out var reason);
        return reason.Length == 0 ? outcome : outcome with { Ok = outcome.Ok && isDone, Detail = $"{outcome.Detail}; {reason}" };
    }

    private RouteOutcome EndOldSessions(RouteDesire desire, RouteOutcome outcome)
    {
        var (found, reason) = oldWorkers!.End((backend, server) => MustEnd(desire, backend, server), Soon);
        return reason.Length > 0 ? outcome with { Ok = false, Detail = $"{outcome.Detail}; old workers: {reason}" }
            : found > 0 ? outcome with { Ok = false, Detail = $"{outcome.Detail}; sessions of an old worker are ending", HasChanged = true }
            : outcome;
    }

    /// <summary>
    /// A session of an old worker must end when its server may not be written to. One that is still queued for a server could be
    /// handed to any of them, by rules of before the reload.
    /// </summary>
    private bool MustEnd(RouteDesire desire, string backend, string server)
    {
        var isOwn = string.Equals(server, target.ServerName, StringComparison.Ordinal);
        if (string.Equals(backend, target.WriteBackend, StringComparison.Ordinal))
        {
            // What waits during a hold waits for whoever is opened next.
            return desire.Kind == RouteKind.Cut ? isOwn || (server == "<none>" && !hold.IsEngaged) : !isOwn && server != HaproxyTarget.HoldServer;
        }

        return isOwn && desire is { ReadReady: false, EndReadSessions: true }
            && string.Equals(backend, target.ReadBackend, StringComparison.Ordinal);
    }
}
