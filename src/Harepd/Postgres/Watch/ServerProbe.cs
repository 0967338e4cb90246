using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Tries what the persistent session cannot show: whether the server still takes a fresh connection, and whether a primary can still write. On a
/// thread of its own, for both may hang for as long as the hang timeout.
/// </summary>
internal sealed class ServerProbe : IDisposable
{
    private static readonly TimeSpan TroubledInterval = TimeSpan.FromMilliseconds(500);
    private readonly PostgresSettings _settings;
    private readonly Action _changed;
    private readonly WakeEvent _wake = new();
    private readonly WakeEvent _interrupt = new();
    private readonly WriteProbe _write;
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private ProbeFinding _finding = ProbeFinding.Nothing;
    private long _run;
    private bool _isRunning;
    private bool _isAsked;
    private volatile bool _isDisposed;
    private bool _isIdle = true;

    /// <param name="settings">Of the server.</param>
    /// <param name="folder">The server's, for a look at its disk.</param>
    /// <param name="changed">Called on the probe's thread when the finding is another; must not wait.</param>
    public ServerProbe(PostgresSettings settings, DataFolder folder, Action changed)
    {
        (_settings, _changed, _write) = (settings, changed, new WriteProbe(settings, folder));
        _thread = new Thread(Run) { Name = "probe", IsBackground = true };
    }

    /// <summary>What the last probe of this run found.</summary>
    public ProbeFinding Finding
    {
        get
        {
            lock (_gate)
            {
                return _finding;
            }
        }
    }

    private TimeSpan Interval =>
        Finding == ProbeFinding.Nothing || _settings.FreshConnectionInterval < TroubledInterval ? _settings.FreshConnectionInterval : TroubledInterval;

    public void Start() => _thread.Start();

    /// <summary>A login just went well: probe from now on, and forget a login that failed before.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _finding = _finding with { LoginFault = null };
            if (_isRunning)
            {
                return;
            }

            _isRunning = true;
            _isAsked = true;
        }

        _wake.Signal();
    }

    /// <summary>The run of the server is over: forget what was found and wait for the next.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _run++;
            _isRunning = false;
            _finding = ProbeFinding.Nothing;
        }

        _interrupt.Signal();
        _wake.Signal();
    }

    /// <summary>Probe at once, the write included.</summary>
    public void ProbeNow()
    {
        lock (_gate)
        {
            _isAsked = true;
        }

        _write.Ask();
        _wake.Signal();
    }

    public void Dispose()
    {
        _isDisposed = true;
        _interrupt.Signal();
        _wake.Signal();
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || _thread.Join(_settings.HangTimeout + TimeSpan.FromSeconds(5)))
        {
            _wake.Dispose();
            _interrupt.Dispose();
        }
    }

    private void Run()
    {
        var next = Instant.Zero;
        while (!_isDisposed)
        {
            _ = Kernel.Poll([new PollEntry(_wake.Descriptor, Kernel.PollIn)], _isIdle ? -1 : WaitMillis(next - BootClock.Now));
            _wake.Drain();
            if (Begin(next) is { } run)
            {
                Keep(run, Probe());
                next = BootClock.Now + Interval;
            }
        }
    }

    /// <summary>The run to probe when it is time to; null otherwise.</summary>
    private long? Begin(Instant next)
    {
        lock (_gate)
        {
            _isIdle = !_isRunning;
            if (_isIdle || _isDisposed || (!_isAsked && BootClock.Now < next))
            {
                return null;
            }

            // Drained under the lock, so that a Forget after this look interrupts the probe that follows.
            _interrupt.Drain();
            _isAsked = false;
            return _run;
        }
    }

    private ProbeFinding? Probe()
    {
        var deadline = BootClock.Now + _settings.HangTimeout;
        using var session = PgSession.TryOpen(_settings.Endpoint("probe", SessionLimits.Of(_settings)), deadline, out var fault, _interrupt);
        if (session is null)
        {
            return fault!.Kind is PgFaultKind.Interrupted or PgFaultKind.NotThere ? null : Finding with { LoginFault = fault };
        }

        var before = Finding with { LoginFault = null };
        return _write.Try(session, before.WriteTrouble) is { } trouble ? before with { WriteTrouble = trouble } : null;
    }

    private void Keep(long run, ProbeFinding? finding)
    {
        lock (_gate)
        {
            if (finding is null || run != _run || finding == _finding)
            {
                return;
            }

            _finding = finding;
        }

        _changed();
    }

    private static int WaitMillis(TimeSpan wait) => (int)Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 0, 60_000);
}
