using Harepd.Clock;
using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>
/// Fences when the lease was not renewed in time, on a thread that shares nothing with anything that can block: no pool, no log, no mailbox
/// in its way (DESIGN section 4). It fires a little after the moment at which the loop itself should have begun, so that a loop in good
/// health does it first.
/// </summary>
internal sealed class LeaseWatchdog : IDisposable
{
    private readonly Action<Term, Instant> _fence;
    private readonly Action<Term> _fired;
    private readonly TimeSpan _patience;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private Effect.ArmWatchdog _armed = new(Term.None, Instant.Zero, Instant.Zero);
    private volatile bool _isDisposed;

    /// <param name="fence">Fences in place; gets the term and the instant by which it must be done.</param>
    /// <param name="fired">Told afterwards.</param>
    /// <param name="patience">How long after the fence moment the loop may still do it itself; a small part of the fence budget.</param>
    public LeaseWatchdog(Action<Term, Instant> fence, Action<Term> fired, TimeSpan patience)
    {
        _fence = fence;
        _fired = fired;
        _patience = patience;
        _thread = new Thread(Run) { Name = "watchdog", IsBackground = true, Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    /// <summary>The end of the lease as armed last; <see cref="Instant.Zero"/> when disarmed. What every opening is checked against (R6).</summary>
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

            Fire(armed);
        }
    }

    private void Fire(Effect.ArmWatchdog armed)
    {
        lock (_gate)
        {
            if (_armed != armed)
            {
                return;
            }

            _armed = new Effect.ArmWatchdog(armed.Term, Instant.Zero, Instant.Zero);
        }

        _fence(armed.Term, armed.Deadline);
        _fired(armed.Term);
    }
}
