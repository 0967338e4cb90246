using Harepd.Clock;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>The door that the lane moves: pg_hba.conf, sessions and, at the worst, the postmaster. Synchronous; every call is bounded.</summary>
internal interface IGateDoor
{
    /// <summary>Brings the gate to <paramref name="to"/> if it is not there already, and confirms it. Never ends sessions.</summary>
    GateOutcome Set(Gate to, Term term, Instant notAfter);

    /// <summary>As <see cref="Set"/>, without waiting for the folder's fsync: a power cut may bring the shut gate back. <see cref="Flush"/> follows.</summary>
    GateOutcome Open(Gate to, Term term, Instant notAfter);

    /// <summary>Makes an opening survive a power cut; waits as long as the disk does.</summary>
    void Flush();

    /// <summary>Fences: rejects, ends the sessions, confirms; stops the postmaster when that fails by <paramref name="finishBy"/> and <paramref name="mayStop"/>.</summary>
    /// <param name="term">Stamped on the gate.</param>
    /// <param name="finishBy">Boot-time clock.</param>
    /// <param name="mayStop">The server takes or took writes.</param>
    /// <param name="reason">For people.</param>
    /// <param name="beginsStop">A fast shutdown begins with it; its end is not waited for.</param>
    GateOutcome Fence(Term term, Instant finishBy, bool mayStop, string reason, bool beginsStop = false);
}

/// <summary>What became of a gate operation.</summary>
/// <param name="Gate">What the gate is now, as far as known.</param>
/// <param name="IsConfirmed">Server and file agree on it.</param>
/// <param name="Detail">One sentence for people.</param>
internal readonly record struct GateOutcome(Gate Gate, bool IsConfirmed, string Detail);

/// <summary>
/// Opens and closes share this one lane and its thread (R6). A close cancels the opens that still wait; an open reads the clock before and
/// after it was done and is undone at once when it was late or the lease is gone.
/// </summary>
internal sealed class GateLane : IDisposable
{
    private readonly Action _rehearse;
    private readonly Func<IGateDoor> _door;
    private readonly Func<Instant> _leaseEnd;
    private readonly Func<bool> _isFencing;
    private readonly Func<Input, bool> _post;
    private readonly LinkedList<Effect> _waiting = new();
    private readonly SemaphoreSlim _signal = new(0);
    private readonly Thread _thread;
    private volatile bool _isDisposed;

    /// <param name="door">What is moved; asked for anew with each operation, because a reload replaces it.</param>
    /// <param name="leaseEnd">Until when this member may have the write gate open, now; <see cref="Instant.Zero"/> without a lease.</param>
    /// <param name="isFencing">Whether watchdog or guard fence at this moment, past this lane; an opening waits until they are done.</param>
    /// <param name="post">The mailbox.</param>
    /// <param name="rehearse">Done first on the lane's thread, so that the first fence is not slowed down by what the first of anything costs.</param>
    public GateLane(Func<IGateDoor> door, Func<Instant> leaseEnd, Func<bool> isFencing, Func<Input, bool> post, Action rehearse)
    {
        _rehearse = rehearse;
        _door = door;
        _leaseEnd = leaseEnd;
        _isFencing = isFencing;
        _post = post;
        _thread = new Thread(Run) { Name = "gate", IsBackground = true, Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    /// <summary>Puts a gate effect in the lane; a close throws out what waits to open.</summary>
    public void Enqueue(Effect effect)
    {
        lock (_waiting)
        {
            // Only the newest operation is of use: its answer is the one that the machine waits for, and each states the whole gate.
            _waiting.Clear();
            _waiting.AddLast(effect);
        }

        _signal.Release();
    }

    public void Dispose()
    {
        _isDisposed = true;
        _signal.Release();
        _thread.Join(TimeSpan.FromSeconds(2));
        _signal.Dispose();
    }

    private void Run()
    {
        _rehearse();
        while (!_isDisposed)
        {
            _signal.Wait();
            Effect? effect;
            lock (_waiting)
            {
                effect = _waiting.First?.Value;
                _waiting.Clear();
            }

            if (effect is not null)
            {
                Perform(effect);
            }
        }
    }

    private void Perform(Effect effect)
    {
        var (sequence, outcome) = effect switch
        {
            Effect.CloseGate { To: Gate.Fenced } close => (close.Sequence, Guarded(() => _door().Fence(close.Term, close.FinishBy, close.MayStop, close.Reason, close.BeginsStop))),
            Effect.CloseGate close => (close.Sequence, Guarded(() => _door().Set(close.To, close.Term, Instant.Forever))),
            Effect.OpenGate open => (open.Sequence, Open(open.To, open.Term, open.NotAfter)),
            Effect.VerifyGate verify => (verify.Sequence, Open(verify.Expected, verify.Term, verify.NotAfter)),
            _ => throw new InvalidOperationException($"no gate effect: {effect.GetType().Name}"),
        };
        _post(new Input.GateApplied(sequence, outcome.Gate, outcome.IsConfirmed, outcome.Detail));
        if (effect is Effect.OpenGate)
        {
            FlushAside();
        }
    }

    /// <summary>Not on the lane's thread: a fence may come, and must not wait for a disk. Without a flush a power cut may bring the shut gate back.</summary>
    private void FlushAside()
    {
        try
        {
            new Thread(Flush) { Name = "gate flush", IsBackground = true }.Start();
        }
        catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
        {
            // The lane must live: it is what shuts.
        }

        void Flush() => Guarded(() =>
        {
            _door().Flush();
            return default;
        });
    }

    private GateOutcome Open(Gate to, Term term, Instant notAfter)
    {
        if (to != Gate.ReadWrite)
        {
            return Guarded(() => _door().Open(to, term, notAfter));
        }

        // A fence begun for a lease that is over would end the sessions of this one, were the gate opened under it.
        while (_isFencing() && !IsLate(notAfter) && !IsOvertaken())
        {
            Thread.Sleep(1);
        }

        if (IsOvertaken())
        {
            return new GateOutcome(Gate.Fenced, IsConfirmed: false, "something newer came before the opening was begun");
        }

        if (IsLate(notAfter))
        {
            return new GateOutcome(Gate.Fenced, IsConfirmed: false, "the opening came too late and was not begun");
        }

        var outcome = Guarded(() => _door().Open(to, term, notAfter));
        return IsLate(notAfter)
            ? Guarded(() => _door().Fence(term, BootClock.Now + TimeSpan.FromMilliseconds(300), mayStop: true, "the opening ended too late")) with { IsConfirmed = false }
            : outcome;
    }

    /// <summary>An opening that still waits must not keep a close waiting.</summary>
    private bool IsOvertaken()
    {
        lock (_waiting)
        {
            return _isDisposed || _waiting.Count > 0;
        }
    }

    private bool IsLate(Instant notAfter)
    {
        var now = BootClock.Now;
        return now >= notAfter || now >= _leaseEnd();
    }

    private static GateOutcome Guarded(Func<GateOutcome> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The lane is a room's edge: whatever went wrong, the gate is not confirmed and the machine decides what follows.
            return new GateOutcome(Gate.ReadWrite, IsConfirmed: false, $"{error.GetType().Name}: {error.Message}");
        }
    }
}
