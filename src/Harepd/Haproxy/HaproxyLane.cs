using Harepd.Clock;
using Harepd.Core.Model;
using Microsoft.Extensions.Logging;

namespace Harepd.Haproxy;

/// <summary>
/// Keeps one HAProxy as this node desires, on a thread of its own, so that a slow or dead HAProxy delays no other. The newest
/// desire is carried out at once; then the state is read again every reconcile interval, more often while something is wrong,
/// and only the difference is changed: a reload or restart of HAProxy, which may forget its runtime state, is mended so.
/// All members are thread-safe.
/// </summary>
internal sealed class HaproxyLane : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan SlowestRetry = TimeSpan.FromMilliseconds(320);

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly HaproxyEndpoint _endpoint;
    private readonly TimeSpan _reconcile;
    private readonly Func<Instant> _leaseDeadline;
    private readonly Action<RouteApplied> _applied;
    private readonly ILogger _log;
    private readonly HaproxyDoor _door;
    private readonly RoutePass _pass;
    private readonly Thread _thread;

    private RouteDesire? _desire;
    private HoldDesire? _hold;
    private long _version;
    private int _seenCuts;
    private Term _newest;
    private Term _latched;
    private bool _isStopping;

    /// <param name="endpoint">The HAProxy.</param>
    /// <param name="target">This node's names in it.</param>
    /// <param name="commandTimeout">Bound of one exchange, connecting included; above the slowest honest answer, below the fence budget.</param>
    /// <param name="reconcile">How often the state is read again; bounds how long a reload may leave wrong routes.</param>
    /// <param name="leaseDeadline">The live lease's deadline on the boot-time clock, <see cref="Instant.Zero"/> without one. Called on the lane's thread; must not block.</param>
    /// <param name="applied">Receives outcomes, on the lane's or the caller's thread; must not block.</param>
    /// <param name="log">The room's logger.</param>
    /// <exception cref="ArgumentException">A name that HAProxy would not accept: a bug, the configuration is checked before.</exception>
    public HaproxyLane(HaproxyEndpoint endpoint, HaproxyTarget target, TimeSpan commandTimeout, TimeSpan reconcile,
        Func<Instant> leaseDeadline, Action<RouteApplied> applied, ILogger log)
    {
        if (target.Fault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(target));
        }

        _endpoint = endpoint;
        _reconcile = reconcile;
        _leaseDeadline = leaseDeadline;
        _applied = applied;
        _log = log;
        _door = new HaproxyDoor(endpoint, target, commandTimeout);
        _pass = _door.NewPass(leaseDeadline);
        _thread = new Thread(Run) { IsBackground = true, Name = $"haproxy {endpoint}" };
    }

    /// <summary>Which HAProxy this is.</summary>
    public HaproxyEndpoint Endpoint => _endpoint;

    /// <summary>Starts the thread; nothing is changed at HAProxy before the first desire.</summary>
    public void Start() => _thread.Start();

    /// <summary>
    /// Replaces the desire. Refused, with a log line and an outcome that is not Ok: a term below the newest seen, and a Write of
    /// a term that <see cref="CutNow"/> has ended. The same desire again costs nothing.
    /// </summary>
    public void Desire(RouteDesire desire)
    {
        string refusal;
        lock (_gate)
        {
            refusal = desire.Term < _newest ? $"refused: term {desire.Term} is older than {_newest}"
                : desire.Kind == RouteKind.Write && _latched != Term.None && desire.Term <= _latched
                    ? $"refused: term {desire.Term} was ended by a fence" : "";
            if (refusal.Length == 0)
            {
                _newest = desire.Term;
                var isSame = _desire is { } old && old == desire with { NotAfter = old.NotAfter };
                _desire = desire;
                _version = isSame ? _version : _version + 1;
                _seenCuts = _door.Guard.Cuts;
                if (!isSame)
                {
                    _wake.Set();
                }
            }
        }

        if (refusal.Length > 0)
        {
            _log.LogError(HaproxyEvents.Refused, "HAProxy {Endpoint}: {Kind} {Refusal}", _endpoint.Name, desire.Kind, refusal);
            _applied(new RouteApplied(_endpoint, desire, Ok: false, Serving: false, refusal, BootClock.Now));
        }
    }

    /// <summary>
    /// Cuts this node's server in both backends now, on the caller's thread and a connection of its own, and ends its sessions;
    /// does not wait for the lane unless an opening is on its way. From here on the lane wants the cut too, and no Write of the
    /// present term is accepted again. Never later than <paramref name="deadline"/> (boot-time clock) by more than a scheduling delay.
    /// </summary>
    public CutResult CutNow(Instant deadline)
    {
        lock (_gate)
        {
            _door.Guard.CountCut();
            _latched = _newest;
            _desire = new RouteDesire { Term = _newest, Kind = RouteKind.Cut, ReadReady = false, EndReadSessions = true };
            _version++;
            _wake.Set();
        }

        return _door.CutNow(deadline);
    }

    /// <summary>
    /// Pauses new clients of the write backend, and answers through the wish itself. The route must be Write under the same term; from there on
    /// the hold stands through the cut that follows, until another server is opened, the wish's own end, or <see cref="ReleaseHold"/>.
    /// </summary>
    public void EngageHold(HoldDesire hold) => Hold(hold);

    /// <summary>Ends the hold: the route is again what the desire says.</summary>
    public void ReleaseHold() => Hold(null);

    /// <summary>What HAProxy says now, on the caller's thread; bounded by the command timeout. A host name is waited for.</summary>
    public HaproxyReading ReadState() => _door.ReadState();

    /// <summary>Ends the thread after its present exchange. Routes are left as they are: whoever stops the daemon cuts first.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
        }

        _wake.Set();
        if (_thread.IsAlive && Environment.CurrentManagedThreadId != _thread.ManagedThreadId)
        {
            _thread.Join();
        }

        _door.Dispose();
        _wake.Dispose();
    }

    private void Hold(HoldDesire? hold)
    {
        lock (_gate)
        {
            _hold = hold;
            _version++;
            _wake.Set();
        }
    }

    private void Run()
    {
        var memory = new LaneMemory();
        while (true)
        {
            RouteDesire? desire;
            HoldDesire? hold;
            long version;
            int seenCuts;
            lock (_gate)
            {
                if (_isStopping)
                {
                    return;
                }

                (desire, hold, version, seenCuts) = (_desire, _hold, _version, _seenCuts);
            }

            if (desire is null)
            {
                _wake.WaitOne();
                continue;
            }

            var outcome = Pass(desire, hold, memory.Next(version), seenCuts, version);
            if (memory.Weigh(version, outcome) is not Newness.None and var newness)
            {
                Tell(desire, outcome, newness);
            }

            _wake.WaitOne(Pause(desire, hold, outcome, memory));
        }
    }

    private RouteOutcome Pass(RouteDesire desire, HoldDesire? hold, Attempt attempt, int seenCuts, long version)
    {
        try
        {
            return _pass.Run(desire, hold, attempt, seenCuts, () => Volatile.Read(ref _version) != version || Volatile.Read(ref _isStopping));
        }
#pragma warning disable CA1031 // The room's edge: whatever went wrong with this HAProxy must not end the thread that cuts it.
        catch (Exception ex)
#pragma warning restore CA1031
        {
            _log.LogCritical(HaproxyEvents.Bug, ex, "HAProxy {Endpoint}: a pass failed unexpectedly", _endpoint.Name);
            return RouteOutcome.Failed($"unexpected: {ex.GetType().Name}");
        }
    }

    private void Tell(RouteDesire desire, RouteOutcome outcome, Newness newness)
    {
        _log.Log(newness == Newness.Again ? LogLevel.Debug : outcome.Ok ? LogLevel.Information : LogLevel.Warning, HaproxyEvents.Applied,
            "HAProxy {Endpoint}: term {Term}, {Kind}: {Detail}", _endpoint.Name, desire.Term, desire.Kind, outcome.Detail);
        _applied(new RouteApplied(_endpoint, desire, outcome.Ok, outcome.IsServing, outcome.Detail, BootClock.Now));
    }

    /// <summary>A hold is looked at often, and at its end at the latest.</summary>
    private static TimeSpan HoldLook(HoldDesire? hold)
    {
        var left = (hold?.Until ?? Instant.Zero) - BootClock.Now;
        return left <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : left < SlowestRetry ? left + TimeSpan.FromMilliseconds(1) : SlowestRetry;
    }

    /// <summary>A write route is looked at again when its lease ends, whatever the interval: nobody may have renewed it.</summary>
    private TimeSpan Pause(RouteDesire desire, HoldDesire? hold, RouteOutcome outcome, LaneMemory memory)
    {
        var pause = outcome.Ok ? _pass.IsHolding ? HoldLook(hold) : _reconcile : memory.NextRetry(FirstRetry, _reconcile < SlowestRetry ? _reconcile : SlowestRetry);
        var left = desire.Kind == RouteKind.Write ? _leaseDeadline() - BootClock.Now : TimeSpan.MaxValue;
        if (left >= pause || (left <= TimeSpan.Zero && !outcome.Ok))
        {
            return pause;
        }

        // Rounded up: a wait counts whole milliseconds, and one that ends early would only turn around.
        return left > TimeSpan.Zero ? left + TimeSpan.FromMilliseconds(1) : TimeSpan.FromMilliseconds(1);
    }
}
