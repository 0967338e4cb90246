using Harepd.Clock;
using Harepd.Config;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Guard;
using Harepd.Peers;
using Harepd.Postgres.Control;
using Harepd.Postgres.Watch;
using Harepd.Repmgr;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// The rooms that only a data node has: the server's watcher, the gate's lane, HAProxy, watchdog and guard. What depends on keys that can be
/// reloaded is replaced whole by <see cref="Reconfigure"/>; lane, watchdog and guard stay.
/// </summary>
internal sealed class DataSide : IAsyncDisposable
{
    // Clients come back first.
    private static readonly TimeSpan AfterClients = TimeSpan.FromMilliseconds(200);

    private readonly RepmgrReader? _repmgr;
    private readonly RepmgrWriter? _tables;
    private readonly LeaseWatchdog _watchdog;
    private readonly Func<Input, bool> _post;
    private readonly ILoggerFactory _logs;
    private readonly Lock _replacing = new();
    private volatile Means _means;
    private Effect.Steer? _steered;
    private Effect.Point? _pointed;
    private bool _isAlarmed;

    private DataSide(HarepdConfig config, NodeSettings settings, Func<Input, bool> post, ILoggerFactory logs)
    {
        (_post, _logs) = (post, logs);
        _watchdog = new LeaseWatchdog(
            (term, deadline) => FenceNow(term, deadline, "the lease watchdog fired").IsConfirmed,
            term => post(new Input.WatchdogFired(term)),
            settings.Lease.FenceBudget / 6);
        Guard = GuardKeeper.Start(config.RunDir, config.File, isLooking => post(new Input.GuardSeen(isLooking)), logs.CreateLogger("Guard"));
        _means = MeansOf(config);
        Lane = new GateLane(() => new UnhurriedDoor(_means.Fence.Door, () => Guard.HasShut), () => _watchdog.FenceAt, () => _watchdog.IsFencing || Guard.IsFencing, post, Rehearse);
        var control = new ServerControl(PostgresDoor.SettingsOf(config), config.RunDir);
        Control = new ControlLane(control, settings.Failover.PromoteTimeout, () => _watchdog.FenceAt, post, logs.CreateLogger("Control"));
        var process = new ServerProcess(PostgresDoor.SettingsOf(config));
        var rejoin = new ServerRejoin(PostgresDoor.SettingsOf(config), config.StateDir, process);
        Orders = new OrderLane(process, rejoin, () => _watchdog.FenceAt, () => ReadBlock().Gate, config.RunDir, post, logs.CreateLogger("Control"));
        WasToldToPromote = () => settings.Failover.Promoter == Promoter.Harepd && control.WasToldToPromote();
        _repmgr = config.Repmgr is { } repmgr
            ? new RepmgrReader(PostgresDoor.SettingsOf(config) with { User = repmgr.User, Database = repmgr.Db }, config.NodeName, config.PrimaryIp)
            : null;
        _tables = config.Repmgr is { } where
            ? new RepmgrWriter(PostgresDoor.SettingsOf(config) with { User = where.User, Database = where.Db }, config.NodeName)
            : null;
    }

    public GateLane Lane { get; }

    /// <summary>Orders to the server.</summary>
    public ControlLane Control { get; }

    /// <summary>Orders to the server's process.</summary>
    public OrderLane Orders { get; }

    /// <summary>An earlier run of the daemon told the server that runs now to promote itself.</summary>
    public Func<bool> WasToldToPromote { get; }

    public GuardKeeper Guard { get; }

    /// <summary>One sentence for each HAProxy and PgBouncer: what it last came to.</summary>
    public IEnumerable<string> Routes() =>
    [
        .. _means.Steering.Applied.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"HAProxy {pair.Key}: {pair.Value.Detail}"),
        .. _means.Pointing.Applied.Select(applied => $"PgBouncer {applied.Endpoint}: {applied.Detail}"),
    ];

    /// <summary>What each PgBouncer last came to.</summary>
    public Pointing Pointing => _means.Pointing;

    /// <summary>Puts the rooms together; nothing runs that could open anything before <see cref="Start"/>.</summary>
    public static DataSide Build(HarepdConfig config, NodeSettings settings, Func<Input, bool> post, ILoggerFactory logs) =>
        new(config, settings, post, logs);

    /// <summary>Begins to watch the server.</summary>
    public void Start() => _means.Watcher.Start();

    /// <summary>What the block on disk says at the start.</summary>
    public (Gate Gate, Term Term) ReadBlock() => _means.Fence.Door.ReadBlock();

    /// <summary>Arms watchdog and guard; the watchdog first, because openings are checked against it.</summary>
    public void Arm(Effect.ArmWatchdog arm)
    {
        _watchdog.Arm(arm);
        Guard.Arm(arm);
    }

    /// <summary>Tells every HAProxy; does not wait.</summary>
    public void Steer(Effect.Steer steer)
    {
        lock (_replacing)
        {
            _steered = steer;
            _means.Steering.Steer(steer);
        }
    }

    /// <summary>Tells every PgBouncer; does not wait.</summary>
    public void Point(Effect.Point point)
    {
        lock (_replacing)
        {
            _pointed = point;
            _means.Pointing.Point(point);
        }
    }

    /// <summary>Engages or releases the hold at every HAProxy and PgBouncer; does not wait, the HAProxys answer by the mailbox. A reload of the configuration ends a hold.</summary>
    public void Hold(Effect effect)
    {
        lock (_replacing)
        {
            _means.Pointing.Hold(effect);
            _means.Steering.Hold(effect, settled => _post(settled));
        }
    }

    /// <summary>How closely the server is watched.</summary>
    public void SetPace(bool isAlarmed)
    {
        lock (_replacing)
        {
            _isAlarmed = isAlarmed;
            _means.Watcher.SetPace(isAlarmed ? WatchPace.Alarmed : WatchPace.Calm);
        }
    }

    /// <summary>Lets repmgr's tables say that this node is the primary, a moment later and as long as it holds the lease; does not wait.</summary>
    public void NotePrimary(Term term)
    {
        if (_tables is { } tables)
        {
            new Thread(() => NotePrimary(tables, term)) { IsBackground = true, Name = "repmgr" }.Start();
        }
    }

    private void NotePrimary(RepmgrWriter tables, Term term)
    {
        var log = _logs.CreateLogger("Repmgr");
        Thread.Sleep(AfterClients);
        for (var left = 5; left > 0 && BootClock.Now < _watchdog.FenceAt; left--)
        {
            if (tables.NotePrimary() is not { } trouble)
            {
                log.LogInformation("repmgr.nodes says that this node is the primary, term {Term}", term.Value);
                return;
            }

            log.LogWarning("repmgr.nodes cannot be brought up to date: {Trouble}", trouble);
            Thread.Sleep(TimeSpan.FromSeconds(1));
        }
    }

    private void Rehearse() => _means.Fence.Rehearse(BootClock.Now + TimeSpan.FromSeconds(2));

    /// <summary>Reads the server at once, whatever the rhythm.</summary>
    public void LookNow() => _means.Watcher.LookNow();

    /// <summary>Fences on the caller's thread: HAProxy is cut on threads of its own meanwhile.</summary>
    public GateOutcome FenceNow(Term term, Instant deadline, string reason) =>
        _means.Fence.Fence(term, UnhurriedDoor.Deadline(deadline, Guard.HasShut), mayStop: true, reason);

    /// <summary>repmgr's rows; null where they cannot be told.</summary>
    public async ValueTask<ClusterKnowledge?> FindClusterAsync(CancellationToken token) =>
        _repmgr is null ? null : await _repmgr.KnowledgeAsync(token);

    /// <summary>Takes over what can be changed while running: the new rooms are told what the old ones were told last, then take their place.</summary>
    public void Reconfigure(HarepdConfig config)
    {
        var next = MeansOf(config);
        Means old;
        lock (_replacing)
        {
            old = _means;
            _means = next;
            next.Watcher.SetPace(_isAlarmed ? WatchPace.Alarmed : WatchPace.Calm);
            next.Watcher.Start();
            if (_steered is { } steered)
            {
                // The first opening's own limit is long past; what counts now is the lease as it stands.
                next.Steering.Steer(steered with { NotAfter = steered.Route.Write ? _watchdog.FenceAt : steered.NotAfter });
            }

            if (_pointed is { } pointed)
            {
                next.Pointing.Point(pointed);
            }
        }

        old.Dispose();
        Guard.AskToReload();
    }

    public ValueTask DisposeAsync()
    {
        _watchdog.Dispose();
        Control.Dispose();
        Orders.Dispose();
        Lane.Dispose();
        _means.Dispose();
        Guard.Dispose();
        return ValueTask.CompletedTask;
    }

    private Means MeansOf(HarepdConfig config)
    {
        var steering = new Steering(config, () => _watchdog.FenceAt, _logs.CreateLogger("Haproxy"));
        var pointing = new Pointing(config, () => _watchdog.FenceAt, _logs.CreateLogger("Pgbouncer"));
        var watcher = new PostgresWatcher(
            PostgresDoor.SettingsOf(config),
            server => _post(new Input.Observed(server)),
            detail => _post(new Input.PostmasterDied(detail)),
            _logs.CreateLogger("Postgres"));
        return new Means(steering, pointing, new FenceParty(config, steering, pointing), watcher);
    }

    /// <summary>What is made from the configuration and replaced when that changes.</summary>
    private sealed record Means(Steering Steering, Pointing Pointing, FenceParty Fence, PostgresWatcher Watcher) : IDisposable
    {
        public void Dispose()
        {
            Watcher.Dispose();
            Steering.Dispose();
            Pointing.Dispose();
            Fence.Dispose();
        }
    }
}
