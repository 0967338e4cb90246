using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Guard;

/// <summary>
/// The guard's loop (R12): reads the order, sleeps, and fences when the deadline comes and no renewal did, whatever state the daemon is in.
/// One thread, no pool, no log in its way; runs in a process of its own.
/// </summary>
/// <param name="page">Shared with the daemon.</param>
/// <param name="fence">Fences in place; gets term and the instant by which it must be done; true when confirmed.</param>
/// <param name="patience">How long after the fence moment the daemon may still do it itself.</param>
/// <param name="isDaemonAlive">Whether the process with this id runs.</param>
/// <param name="hardware">What resets the machine when this loop stands still; null where that is not wanted.</param>
internal sealed class GuardWatch(GuardPage page, Func<Term, Instant, bool> fence, TimeSpan patience, Func<int, bool> isDaemonAlive, HardwareWatchdog? hardware = null)
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);
    private GuardOrder _order;
    private GuardOrder _fenced = new(page.FencedTerm, page.FencedAt, default);

    /// <summary>Runs until cancelled, or until the daemon is gone for good and nothing is armed.</summary>
    public void Run(CancellationToken stop)
    {
        var lonelySince = Instant.Zero;
        while (!stop.IsCancellationRequested || _order.IsArmed)
        {
            var now = BootClock.Now;
            var sleep = Turn(now);
            if (page.IsFinished && !_order.IsArmed && Leave(() => page.IsFinished))
            {
                return;
            }

            // An orphan with nothing to guard stays a while for a daemon that restarts, then goes.
            var isLonely = !_order.IsArmed && !isDaemonAlive(page.DaemonPid);
            lonelySince = !isLonely ? Instant.Zero : lonelySince == Instant.Zero ? now : lonelySince;
            if (isLonely && now - lonelySince > TimeSpan.FromSeconds(30) && Leave(() => !isDaemonAlive(page.DaemonPid)))
            {
                return;
            }

            Thread.Sleep(sleep);
        }

        page.NoteLeaving();
    }

    /// <summary>
    /// Says first that nobody looks any more, and leaves only if that is still right: a daemon that begins meanwhile either sees that it has no guard, or is seen here.
    /// </summary>
    private bool Leave(Func<bool> isStillOver)
    {
        page.NoteLeaving();
        return isStillOver();
    }

    /// <summary>One try at the fence. Announced first and the order read once more after that: a guard that was frozen just before must not shut a newer lease's gate.</summary>
    private TimeSpan Fence(Instant now)
    {
        var finishBy = Instant.Max(_order.Deadline, now + TimeSpan.FromMilliseconds(50));
        page.NoteFencing(finishBy);
        try
        {
            // Half an order counts as none: a daemon frozen while it writes is what the guard is for.
            if (page.TryRead(out var order) && order != _order)
            {
                return TimeSpan.Zero;
            }

            if (!fence(_order.Term, finishBy))
            {
                return RetryPause;
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // It would end the guard with the gate open; it is one more fence that was not confirmed.
            return RetryPause;
        }
        finally
        {
            page.NoteFencing(Instant.Zero);
        }

        _fenced = _order;
        page.NoteFence(_fenced);
        return TimeSpan.Zero;
    }

    /// <summary>One look; returns how long to sleep.</summary>
    internal TimeSpan Turn(Instant now)
    {
        page.Beat(Environment.ProcessId, now);
        if (page.TryRead(out var order))
        {
            _order = order;
        }

        // What was fenced here is over; only a later term, or a renewal of the same one that was on its way, arms again.
        if (!_order.IsArmed || _order.Term < _fenced.Term || (_order.Term == _fenced.Term && _order.FenceAt <= _fenced.FenceAt))
        {
            _order = _order with { FenceAt = Instant.Zero };
            hardware?.Keep(_order, now);
            return LongestSleep;
        }

        hardware?.Keep(_order, now);
        var left = _order.FenceAt + patience - now;
        if (left > TimeSpan.Zero)
        {
            return left < LongestSleep ? left : LongestSleep;
        }

        return Fence(now);
    }
}
