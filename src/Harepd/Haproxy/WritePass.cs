using System.Collections.Immutable;
using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// Gives this node's server the write backend: rivals are cut and seen to be cut, then it is made ready, and the clock is read
/// on both sides of that (R6). Run by the lane's thread alone.
/// </summary>
internal sealed class WritePass(
    HaproxyTarget target,
    RuntimeDialogue dialogue,
    CutPass cut,
    OpeningGuard guard,
    TimeSpan commandTimeout)
{
    private readonly OperatorWish _operator = new();

    private Instant Soon => BootClock.Now + commandTimeout;

    /// <summary>This node's server was closed on purpose: what is found closed next is no operator's.</summary>
    internal void ForgetOpen() => _operator.ForgetOpen();

    /// <param name="desire">The desire.</param>
    /// <param name="attempt">A new desire overrides an operator's maint and a verdict of HAProxy's checks once; a repair leaves them their say.</param>
    /// <param name="limit">The opening must be done before this moment, boot-time clock.</param>
    /// <param name="seenCuts">The guard's count when the desire was taken.</param>
    /// <param name="mustHurry">True when something newer waits.</param>
    internal RouteOutcome Run(RouteDesire desire, Attempt attempt, Instant limit, int seenCuts, Func<bool> mustHurry)
    {
        var reading = dialogue.Do([], Soon);
        if (reading.View is not { } view)
        {
            return RouteOutcome.Failed(reading.Reason);
        }

        if (HaproxyView.Find(view.Write, target.ServerName) is not { } own)
        {
            return RouteOutcome.Failed($"{target.WriteBackend} has no server {target.ServerName}", view);
        }

        if (attempt != Attempt.Repair)
        {
            _operator.Reset();
        }

        var rivals = RouteCommands.CutRivals(target, view.Write);
        var isHeld = _operator.Look(own, view.Pid);
        var mustOpen = (!own.IsOpen && !isHeld) || (attempt != Attempt.Repair && own.Operational == OperationalState.Stopped);
        var opensFirst = desire.OthersAreFenced && mustOpen;
        if (!rivals.IsEmpty && !opensFirst)
        {
            // A cut of others that comes after the lease would hit whoever holds it by then, and look like an operator's.
            if (BootClock.Now >= limit)
            {
                return RouteOutcome.Failed("not opened: too late", view);
            }

            reading = dialogue.Do(rivals.AsSpan(), Soon);
            if (reading.View is null || OpenRival(reading.View) is not null)
            {
                return NotCut(reading);
            }

            view = reading.View;
        }

        if (!mustOpen)
        {
            return Settle(view, !rivals.IsEmpty, mustHurry);
        }

        reading = Open(
            [.. RouteCommands.OpenOwn(target, own), .. opensFirst ? rivals : [], .. RouteCommands.ReleaseHold(target, view.Write)], limit, seenCuts);
        return reading.View is null ? RouteOutcome.Failed(reading.Reason) : Settle(reading.View, hasChanged: true, mustHurry);
    }

    /// <summary>The opening itself. Whatever it left behind when it was late, or overtaken by a cut, is undone before it returns.</summary>
    private HaproxyReading Open(ReadOnlySpan<string> commands, Instant limit, int seenCuts)
    {
        if (!guard.TryBegin(seenCuts))
        {
            return new HaproxyReading(null, "not opened: cut in the meantime");
        }

        try
        {
            if (BootClock.Now >= limit)
            {
                return new HaproxyReading(null, "not opened: too late");
            }

            var reading = dialogue.Do(commands, Instant.Min(Soon, limit));
            if (BootClock.Now < limit && guard.Cuts == seenCuts)
            {
                return reading;
            }

            var undone = cut.Run(RouteCommands.Cut(target.WriteBackend, target.ServerName), alsoReads: false, Soon, () => false);
            return new HaproxyReading(null, $"opened too late and {(undone.Ok ? "cut again" : $"NOT cut again: {undone.Detail}")}");
        }
        finally
        {
            guard.End();
        }
    }

    /// <summary>Judges the state at the end; sessions that rivals still have are ended until the command timeout.</summary>
    private RouteOutcome Settle(HaproxyView view, bool hasChanged, Func<bool> mustHurry)
    {
        var until = Soon;
        var pause = 0;
        while (true)
        {
            var own = HaproxyView.Find(view.Write, target.ServerName);
            if (own is null)
            {
                return RouteOutcome.Failed("not opened: the server is gone", view);
            }

            if (!_operator.IsHeld)
            {
                _operator.Left(own, view.Pid);
                if (!own.IsOpen)
                {
                    return RouteOutcome.Failed($"not opened: {view.Says(own)}", view);
                }
            }

            ImmutableArray<string> rivals = [.. RouteCommands.CutRivals(target, view.Write), .. RouteCommands.ReleaseHold(target, view.Write)];
            if (rivals.IsEmpty && !view.IsStopping)
            {
                var detail = _operator.IsHeld ? $"an operator keeps it out: {own}"
                    : own.IsServing ? "open" : own.Weight == 0 ? "open, but its weight is 0" : $"open, but down by its check ({own.Status})";
                return new RouteOutcome(true, detail) { View = view, HasChanged = hasChanged, IsServing = own.IsServing };
            }

            if (BootClock.Now >= until || mustHurry())
            {
                var rival = OpenRival(view);
                var reason = view.IsStopping ? "open, but a stopping worker answers"
                    : rival is null ? "open, sessions of a rival are still ending"
                    : $"open, but so is a rival: {view.Says(rival)}";
                return RouteOutcome.Failed(reason, view) with { IsServing = own.IsServing, HasChanged = hasChanged };
            }

            Thread.Sleep(pause);
            (pause, hasChanged) = (Math.Min(pause * 2 + 1, 15), true);
            if (dialogue.Do(rivals.AsSpan(), Soon) is not { View: { } after } failed)
            {
                return RouteOutcome.Failed("open, then lost from sight") with { IsServing = own.IsServing };
            }

            view = after;
        }
    }

    private ServerRow? OpenRival(HaproxyView view) => view.Write.FirstOrDefault(r => RouteCommands.IsRival(target, r) && !r.IsCut);

    /// <summary>A refused command does not stop the rest of a batch, so the opening waits for proof (FIGURES section 3).</summary>
    private RouteOutcome NotCut(HaproxyReading reading) =>
        reading.View is { } view && OpenRival(view) is { } rival
            ? RouteOutcome.Failed($"not opened, a rival could not be cut: {view.Says(rival)}", view)
            : RouteOutcome.Failed(reading.Reason);
}
