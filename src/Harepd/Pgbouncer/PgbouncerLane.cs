using Harepd.Clock;
using Harepd.Core.Model;
using Microsoft.Extensions.Logging;

namespace Harepd.Pgbouncer;

/// <summary>
/// Keeps one PgBouncer as this node desires, on a thread of its own: a slow or dead one delays nobody. The newest desire is carried out at once; then the
/// state is read again every reconcile interval, sooner while something is wrong. Nothing is changed before the first desire. All members are thread-safe.
/// </summary>
internal sealed class PgbouncerLane : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan SlowestRetry = TimeSpan.FromMilliseconds(320);

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly PgbouncerTarget _target;
    private readonly TimeSpan _reconcile;
    private readonly Action<PointApplied> _applied;
    private readonly ILogger _log;
    private readonly PgbouncerConsole _console;
    private readonly PointPass _pass;
    private readonly Thread _thread;

    private PointDesire? _desire;
    private PoolHold? _hold;
    private long _version;
    private Term _ended;
    private bool _isStopping;
    private bool _mustLetGo;

    /// <param name="endpoint">The PgBouncer.</param>
    /// <param name="target">What is managed in it.</param>
    /// <param name="file">Shared with the other lanes.</param>
    /// <param name="timeout">Bound of one exchange, connecting included.</param>
    /// <param name="reconcile">How often the state is read again.</param>
    /// <param name="leaseDeadline">The live lease's deadline on the boot-time clock, <see cref="Instant.Zero"/> without one; must not block.</param>
    /// <param name="applied">Receives outcomes on the lane's thread when they change; must not block.</param>
    /// <param name="log">The room's logger.</param>
    public PgbouncerLane(PgbouncerEndpoint endpoint, PgbouncerTarget target, IncludeFile file, TimeSpan timeout, TimeSpan reconcile,
        Func<Instant> leaseDeadline, Action<PointApplied> applied, ILogger log)
    {
        Endpoint = endpoint;
        _target = target;
        _reconcile = reconcile;
        _applied = applied;
        _log = log;
        _console = new PgbouncerConsole(endpoint, target);
        _pass = new PointPass(target, _console, file, timeout, leaseDeadline);
        _thread = new Thread(Run) { IsBackground = true, Name = $"pgbouncer {endpoint}" };
    }

    /// <summary>Which PgBouncer this is.</summary>
    public PgbouncerEndpoint Endpoint { get; }

    public void Start() => _thread.Start();

    /// <summary>Replaces the desire. A term below the newest seen is refused, and so is this server under a lease that <see cref="Cut"/> has ended.</summary>
    public void Desire(PointDesire desire)
    {
        lock (_gate)
        {
            var isOld = desire.Term < (_desire?.Term ?? Term.None) || (_target.IsOwn(desire.Place) && _ended != Term.None && desire.Term <= _ended);
            if (!isOld)
            {
                Change(() => _desire = desire);
                return;
            }
        }

        _log.LogError(PgbouncerEvents.Refused, "PgBouncer {Endpoint}: refused a place of term {Term}, which is over", Endpoint.Name, desire.Term);
    }

    /// <summary>Where this server is named, clients wait from now on and what is pooled is ended; does not wait. The present term does not name it again.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            if (_desire is { } desire)
            {
                _ended = desire.Term;
                Change(() => _desire = _target.IsOwn(desire.Place) ? desire with { Place = null } : desire);
            }
        }
    }

    /// <summary>New clients wait, until the hold's end at the latest; null ends it. Does not wait.</summary>
    public void Hold(PoolHold? hold)
    {
        lock (_gate)
        {
            Change(() => _hold = hold);
        }
    }

    /// <summary>Once nobody steers any more: what was paused is served again as it stands. The lane takes no more desires.</summary>
    public void LetGo()
    {
        lock (_gate)
        {
            Change(() => _mustLetGo = true);
        }
    }

    /// <summary>Ends the thread after its present exchange; what PgBouncer does is left as it is.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            Change(() => _isStopping = true);
        }

        if (_thread.IsAlive)
        {
            _thread.Join();
        }

        _console.Dispose();
        _wake.Dispose();
    }

    private void Change(Action change)
    {
        change();
        Volatile.Write(ref _version, _version + 1);
        _wake.Set();
    }

    private void Run()
    {
        var (told, heard, retry) = (PointOutcome.Unheard(""), -1L, TimeSpan.Zero);
        while (true)
        {
            PointDesire? desire;
            PoolHold? hold;
            long version;
            lock (_gate)
            {
                if (_isStopping || _mustLetGo)
                {
                    break;
                }

                (desire, hold, version) = (_desire, _hold, _version);
            }

            if (desire is null)
            {
                _wake.WaitOne();
                continue;
            }

            var outcome = Pass(desire, hold, heard != version, () => Volatile.Read(ref _version) != version);
            if (outcome != told)
            {
                told = outcome;
                Tell(desire, outcome);
            }

            heard = outcome.IsRead ? version : heard;
            retry = outcome.Ok ? TimeSpan.Zero : retry == TimeSpan.Zero ? FirstRetry : retry * 2 > SlowestRetry ? SlowestRetry : retry * 2;
            _wake.WaitOne(outcome.Ok ? Pause(hold) : retry);
        }

        if (_mustLetGo)
        {
            _pass.LetGo();
        }
    }

    private PointOutcome Pass(PointDesire desire, PoolHold? hold, bool isFirst, Func<bool> isOvertaken)
    {
        try
        {
            return _pass.Run(desire, hold, isFirst, isOvertaken);
        }
#pragma warning disable CA1031 // The room's edge: whatever went wrong with this PgBouncer must not end the lane that keeps it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _log.LogCritical(PgbouncerEvents.Bug, error, "PgBouncer {Endpoint}: a pass failed unexpectedly", Endpoint.Name);
            return PointOutcome.Failed($"unexpected: {error.GetType().Name}");
        }
    }

    private void Tell(PointDesire desire, PointOutcome outcome)
    {
        _log.Log(outcome.Ok ? LogLevel.Information : LogLevel.Warning, PgbouncerEvents.Applied,
            "PgBouncer {Endpoint}: term {Term}: {Detail}", Endpoint.Name, desire.Term, outcome.Detail);
        _applied(new PointApplied(Endpoint, desire, outcome.Ok, outcome.Detail));
    }

    /// <summary>A hold is looked at when it ends, whatever the interval. Rounded up: a wait counts whole milliseconds.</summary>
    private TimeSpan Pause(PoolHold? hold)
    {
        var left = _pass.IsHolding && hold is not null ? hold.Until - BootClock.Now + TimeSpan.FromMilliseconds(1) : _reconcile;
        return left < TimeSpan.Zero ? TimeSpan.Zero : left < _reconcile ? left : _reconcile;
    }
}
