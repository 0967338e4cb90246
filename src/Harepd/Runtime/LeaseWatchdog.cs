using Harepd.Clock;
using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>
/// Fences when the lease was not renewed in time, on a thread that shares nothing with anything that can block: no pool, no log, no mailbox
/// in its way (DESIGN section 4). It fires a little after the moment at which the loop itself should have begun, so that a loop in good
/// health does it first, and tries again until a fence is confirmed or the loop disarms it.
/// </summary>
internal sealed class LeaseWatchdog : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeastTime = TimeSpan.FromMilliseconds(50);
    private readonly Func<Term, Instant, bool> _fence;
    private readonly Action<Term> _fired;
    private readonly TimeSpan _patience;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private Effect.ArmWatchdog _armed = new(Term.None, Instant.Zero, Instant.Zero);
    private Effect.ArmWatchdog? _told;
    private volatile bool _isFencing;
    private volatile bool _isDisposed;

    /// <param name="fence">Fences in place; gets the term and the instant by which it must be done; true when the gate is confirmed shut.</param>
    /// <param name="fired">Told once after the first try for a lease, whatever came of it.</param>
    /// <param name="patience">How long after the fence moment the loop may still do it itself; a small part of the fence budget.</param>
    public LeaseWatchdog(Func<Term, Instant, bool> fence, Action<Term> fired, TimeSpan patience)
    {
        _fence = fence;
        _fired = fired;
        _patience = patience;
        _thread = new Thread(Run) { Name = "watchdog", IsBackground = true, Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    /// <summary>
    /// The end of the lease as armed last; <see cref="Instant.Zero"/> when disarmed. What every opening is checked against (R6): while a fence
    /// is tried it lies in the past, so that nothing opens.
    /// </summary>
    public Instant FenceAt
    {
        get
        {
            lock (_gate)
            {
                return _armed.FenceAt;
            }
        }
    }

    /// <summary>
    /// True while a fence of this thread is under way. It may have begun for a lease that is over when a newer one is won; an opening waits
    /// until it is done, or it would be shut again under its clients.
    /// </summary>
    public bool IsFencing => _isFencing;

    /// <summary>Arms, moves or disarms. Takes microseconds.</summary>
    public void Arm(Effect.ArmWatchdog arm)
    {
        bool isSooner;
        lock (_gate)
        {
            isSooner = arm.FenceAt != Instant.Zero && (_armed.FenceAt == Instant.Zero || arm.FenceAt < _armed.FenceAt);
            _armed = arm;
        }

        // A later deadline is found when the sleep is over; only a first or an earlier one needs a wake-up.
        if (isSooner)
        {
            _wake.Set();
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _wake.Set();
        _thread.Join(TimeSpan.FromSeconds(1));
        _wake.Dispose();
    }

    private void Run()
    {
        var pause = FirstPause;
        while (!_isDisposed)
        {
            Effect.ArmWatchdog armed;
            lock (_gate)
            {
                armed = _armed;
            }

            if (armed.FenceAt == Instant.Zero)
            {
                _wake.WaitOne();
                continue;
            }

            var left = armed.FenceAt + _patience - BootClock.Now;
            if (left > TimeSpan.Zero)
            {
                _wake.WaitOne((int)Math.Min(Math.Ceiling(left.TotalMilliseconds), 60_000));
                continue;
            }

            if (Fire(armed))
            {
                pause = FirstPause;
                continue;
            }

            // The loop's own lane tries as well; a server that cannot be shut is not pressed by two threads without a pause.
            _wake.WaitOne(pause);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>One try; false when it has to be repeated. What is armed is read again and the try announced in one breath, so that no opening under a newer lease slips between.</summary>
    private bool Fire(Effect.ArmWatchdog armed)
    {
        lock (_gate)
        {
            if (_armed != armed)
            {
                return true;
            }

            _isFencing = true;
        }

        bool isShut;
        try
        {
            isShut = Try(armed);
            if (_told != armed)
            {
                // Before openings go on: the loop must doubt the gate before it hears that a newer opening was confirmed.
                _told = armed;
                _fired(armed.Term);
            }
        }
        finally
        {
            _isFencing = false;
        }

        lock (_gate)
        {
            // Only what was fenced is over; a lease won or disarmed meanwhile stands as it is.
            if (isShut && _armed == armed)
            {
                _armed = new Effect.ArmWatchdog(armed.Term, Instant.Zero, Instant.Zero);
            }
        }

        return isShut;
    }

    private bool Try(Effect.ArmWatchdog armed)
    {
        try
        {
            return _fence(armed.Term, Instant.Max(armed.Deadline, BootClock.Now + LeastTime));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // An exception here would end the process with the gate open; it is one more fence that was not confirmed.
            return false;
        }
    }
}
