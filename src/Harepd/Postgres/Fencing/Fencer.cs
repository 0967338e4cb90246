using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Hba;

namespace Harepd.Postgres.Fencing;

/// <summary>
/// Takes the right to write from this server (DESIGN section 5, "What a fence is"): the gate shut and every client session ended in parallel, and the
/// postmaster stopped where that cannot be confirmed in time. Synchronous, with threads of its own for everything that can hang; the calling thread only waits for them, bounded, and
/// stops the postmaster itself. Uses no thread pool, name resolution or log. Works with the server down, hung or stopped.
/// </summary>
internal sealed class Fencer : IDisposable
{
    /// <summary>Each hanging fence leaves at most two threads behind; more than this many are not left.</summary>
    private const int MostStuckThreads = 8;

    private readonly HbaGate _gate;
    private readonly FenceSettings _settings;
    private readonly PostgresSettings _postgres;
    private readonly DataFolder _folder;
    private readonly Lock _one = new();
    private ServerSessions _sessions;
    private Postmaster? _known;
    private int _threads;

    public Fencer(PostgresSettings postgres, HbaGate gate, FenceSettings settings)
    {
        _postgres = postgres;
        _gate = gate;
        _settings = settings;
        _folder = new DataFolder(postgres);
        _sessions = NewSessions();
    }

    /// <summary>Runs through the parts of a fence without ending anything, so that the first real one pays neither for compilation nor for logins.</summary>
    public void Rehearse(Instant deadline)
    {
        _ = _gate.Warm(deadline);
        _ = _gate.Inspect();
        Remember(_folder.FindPostmaster(deadline).Found);
        _ = _sessions.Warm(deadline);
        _sessions.Ask(deadline);
        _ = _known is { } server ? _sessions.ChildrenOf(server, isThorough: true).Count : 0;
        _ = _folder.Known is { } known ? ServerSessions.OrphansIn(known).Count : 0;
        using var done = new ManualResetEventSlim();
        _ = TryStart("rehearsal", done.Set) && done.Wait(TimeSpan.FromSeconds(1));
    }

    /// <summary>Fences. A second call at the same time waits for the first and then makes sure.</summary>
    /// <param name="term">Stamped on the gate; a higher one on disk stays.</param>
    /// <param name="deadline">Boot-time clock. By then the result is true; the postmaster is stopped before it when need be.</param>
    /// <param name="reason">For people.</param>
    /// <param name="beginsStop">Begins a fast shutdown once the gate's file is shut, and does not wait for its end.</param>
    public FenceResult Fence(Term term, Instant deadline, string reason, bool beginsStop = false)
    {
        var begin = BootClock.Now;
        var budget = deadline - begin;
        if (!_one.TryEnter(budget > TimeSpan.Zero ? budget : TimeSpan.Zero))
        {
            return new FenceResult { IsConfirmed = false, Stop = PostmasterStop.None, Took = BootClock.Now - begin, Detail = $"{reason}; another fence is still at it" };
        }

        try
        {
            if (_known?.IsAlive != true)
            {
                Remember(_folder.FindPostmaster(Instant.Min(deadline, BootClock.Now + TimeSpan.FromMilliseconds(20))).Found);
            }

            return FenceAlone(term, begin, deadline, reason, beginsStop);
        }
        finally
        {
            _one.Exit();
        }
    }

    public void Dispose()
    {
        _sessions.Dispose();
        _known?.Dispose();
    }

    private FenceResult FenceAlone(Term term, Instant begin, Instant deadline, string reason, bool beginsStop)
    {
        var budget = deadline - begin;
        var giveUp = deadline - (_settings.StopReserve < budget / 2 ? _settings.StopReserve : budget / 2);
        _sessions.ExemptUsers = _gate.Policy.ExemptUsers;
        var run = new FenceRun(_gate, new SessionEnder(_sessions, _folder, _settings), term, giveUp, beginsStop);
        var isRunning = TryStart("fence gate", run.ShutGate);
        isRunning &= _gate.Policy.Scope == FenceScope.Checks ? run.WithoutSessions() : TryStart("fence sessions", run.EndSessions);
        if (isRunning)
        {
            run.Wait(giveUp, isHopelessTheEnd: _settings.StopWhenUnconfirmed);
        }

        var isDone = run.IsConfirmed;
        var stop = isDone || !_settings.StopWhenUnconfirmed ? PostmasterStop.None : PostmasterStopper.Stop(_folder, _known, deadline);
        if (!run.Abandon())
        {
            // The thread may hang with the session in its hands; the next fence gets a fresh one.
            _sessions = NewSessions();
        }

        var isStopped = stop is PostmasterStop.Immediate or PostmasterStop.Killed or PostmasterStop.WasDown;
        return run.Report(begin, isDone || isStopped, stop, reason);
    }

    private bool TryStart(string name, Action work)
    {
        if (Interlocked.Increment(ref _threads) > MostStuckThreads)
        {
            Interlocked.Decrement(ref _threads);
            return false;
        }

        try
        {
            var thread = new Thread(
                () =>
                {
                    work();
                    Interlocked.Decrement(ref _threads);
                },
                maxStackSize: 512 * 1024)
            {
                IsBackground = true,
                Name = name,
            };
            thread.Start();
            return true;
        }
        catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
        {
            Interlocked.Decrement(ref _threads);
            return false;
        }
    }

    private ServerSessions NewSessions() => new(_postgres.Endpoint("fence"));

    private void Remember(Postmaster? found)
    {
        if (found is not null && !found.IsSameRunAs(_known))
        {
            (_known, found) = (found, _known);
        }

        found?.Dispose();
    }
}
