using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Hba;

namespace Harepd.Postgres.Fencing;

/// <summary>One fence under way: what its two threads do and have found out. Everything shared is read and written under one lock that nobody holds while waiting.</summary>
internal sealed class FenceRun(HbaGate gate, SessionEnder ender, Term term, Instant giveUp, bool beginsStop)
{
    private readonly object _state = new();
    private HbaResult? _hba;
    private Instant _signalledAt;
    private bool _gateDone;
    private bool _sessionsDone;
    private bool _sessionsAreOut;
    private string _failure = "";

    /// <summary>The gate is known to be shut and every session that could have slipped in is gone.</summary>
    public bool IsConfirmed
    {
        get
        {
            lock (_state)
            {
                return _hba is { IsConfirmed: true } && _sessionsAreOut;
            }
        }
    }

    /// <summary>The gate's thread: shuts, tells when it holds, and only then waits for the disk.</summary>
    public void ShutGate()
    {
        var result = Try(() => gate.Apply(Gate.Fenced, term, giveUp, Durability.VisibleOnly, () => Note(() => _signalledAt = BootClock.Now), beginsStop));
        if (result is { IsConfirmed: true })
        {
            ender.GateShutAt(BootClock.Now);
        }

        Note(() =>
        {
            _hba = result;
            _gateDone = true;
        });
        if (result is { Outcome: HbaOutcome.Applied })
        {
            _ = Try(() => gate.Flush());
        }
    }

    /// <summary>The sessions' thread.</summary>
    public void EndSessions()
    {
        _ = Try<object?>(() =>
        {
            ender.Run(giveUp, isServerEndingThem: beginsStop);
            return null;
        });
        Note(() =>
        {
            _sessionsDone = true;
            _sessionsAreOut = ender.EmptyAt != Instant.Zero;
        });
    }

    /// <summary>Scope checks: sessions stay. Always true.</summary>
    public bool WithoutSessions()
    {
        Note(() => _sessionsDone = _sessionsAreOut = true);
        return true;
    }

    /// <summary>Waits until the fence is confirmed or the time has come to stop the postmaster.</summary>
    /// <param name="until">That time.</param>
    /// <param name="isHopelessTheEnd">Return as soon as the gate cannot be confirmed: waiting for sessions is of no use then.</param>
    public void Wait(Instant until, bool isHopelessTheEnd)
    {
        lock (_state)
        {
            while (!(_gateDone && (_sessionsDone || (isHopelessTheEnd && _hba is not { IsConfirmed: true }))))
            {
                var left = until - BootClock.Now;
                if (left <= TimeSpan.Zero)
                {
                    return;
                }

                Monitor.Wait(_state, left);
            }
        }
    }

    /// <summary>Ends the threads' work; false when the sessions' thread has not come back, and keeps what it holds.</summary>
    public bool Abandon()
    {
        ender.Stop();
        lock (_state)
        {
            return _sessionsDone || Monitor.Wait(_state, TimeSpan.FromMilliseconds(5)) && _sessionsDone;
        }
    }

    public FenceResult Report(Instant begin, bool isConfirmed, PostmasterStop stop, string reason)
    {
        lock (_state)
        {
            TimeSpan Since(Instant at) => at == Instant.Zero ? TimeSpan.Zero : at - begin;
            var trouble = _hba is null ? "the gate's part did not come back in time" : _hba.IsConfirmed ? "" : _hba.Reason;
            return new FenceResult
            {
                IsConfirmed = isConfirmed,
                Stop = stop,
                Hba = _hba,
                SessionsEnded = ender.Ended,
                SessionsLeft = ender.EmptyAt == Instant.Zero ? ender.Left : 0,
                UntilSignal = Since(_signalledAt),
                UntilShut = Since(_hba?.ConfirmedAt ?? Instant.Zero),
                UntilEmpty = Since(ender.EmptyAt),
                Took = BootClock.Now - begin,
                Detail = string.Join("; ", new[] { reason, trouble, _failure }.Where(text => text.Length > 0)),
            };
        }
    }

    private void Note(Action change)
    {
        lock (_state)
        {
            change();
            Monitor.PulseAll(_state);
        }
    }

    // The edge of the room: whatever goes wrong in a part must not keep the caller from stopping the postmaster.
    private T? Try<T>(Func<T> part)
    {
        try
        {
            return part();
        }
        catch (Exception error)
        {
            Note(() => _failure = $"{error.GetType().Name}: {error.Message}");
            return default;
        }
    }
}
