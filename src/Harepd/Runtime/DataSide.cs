using Harepd.Clock;
using Harepd.Config;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Guard;
using Harepd.Peers;
using Harepd.Postgres.Watch;
using Harepd.Repmgr;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>The rooms that only a data node has: the server's watcher, the gate's lane, HAProxy, watchdog and guard.</summary>
internal sealed class DataSide : IAsyncDisposable
{
    private readonly FenceParty _fence;
    private readonly PostgresWatcher _watcher;
    private readonly RepmgrReader? _repmgr;
    private readonly LeaseWatchdog _watchdog;

    private DataSide(HarepdConfig config, NodeSettings settings, bool resumes, Func<Input, bool> post, ILoggerFactory logs)
    {
        _watchdog = new LeaseWatchdog(
            (term, deadline) => FenceNow(term, deadline, "the lease watchdog fired"),
            term => post(new Input.WatchdogFired(term)),
            settings.Lease.FenceBudget / 10);
        Guard = GuardKeeper.Start(config.RunDir, config.File, resumes, logs.CreateLogger("Guard"));
        Steering = new Steering(config, () => _watchdog.FenceAt, logs.CreateLogger("Haproxy"));
        _fence = new FenceParty(config, Steering);
        Lane = new GateLane(_fence.Door, () => _watchdog.FenceAt, post, () => _fence.Rehearse(BootClock.Now + TimeSpan.FromSeconds(2)));
        var postgres = PostgresDoor.SettingsOf(config);
        _watcher = new PostgresWatcher(
            postgres,
            server => post(new Input.Observed(server)),
            detail => post(new Input.PostmasterDied(detail)),
            logs.CreateLogger("Postgres"));
        _repmgr = config.Repmgr is { } repmgr
            ? new RepmgrReader(postgres with { User = repmgr.User, Database = repmgr.Db }, config.NodeName, config.PrimaryIp)
            : null;
    }

    public GateLane Lane { get; }

    public Steering Steering { get; }

    public GuardKeeper Guard { get; }

    /// <summary>Puts the rooms together; nothing runs that could open anything before <see cref="Start"/>.</summary>
    public static DataSide Build(HarepdConfig config, NodeSettings settings, bool resumes, Func<Input, bool> post, ILoggerFactory logs) =>
        new(config, settings, resumes, post, logs);

    /// <summary>Begins to watch the server.</summary>
    public void Start() => _watcher.Start();

    /// <summary>What the block on disk says at the start.</summary>
    public (Gate Gate, Term Term) ReadBlock() => _fence.Door.ReadBlock();

    /// <summary>Arms watchdog and guard; the watchdog first, because openings are checked against it.</summary>
    public void Arm(Effect.ArmWatchdog arm)
    {
        _watchdog.Arm(arm);
        Guard.Arm(arm);
    }

    /// <summary>How closely the server is watched.</summary>
    public void SetPace(bool isAlarmed) => _watcher.SetPace(isAlarmed ? WatchPace.Alarmed : WatchPace.Calm);

    /// <summary>Fences on the caller's thread: HAProxy is cut on threads of its own meanwhile.</summary>
    public GateOutcome FenceNow(Term term, Instant deadline, string reason) => _fence.Fence(term, deadline, mayStop: true, reason);

    /// <summary>repmgr's rows; null where they cannot be told.</summary>
    public async ValueTask<ClusterKnowledge?> FindClusterAsync(CancellationToken token) =>
        _repmgr is null ? null : await _repmgr.KnowledgeAsync(token);

    /// <summary>Takes over what can be changed while running.</summary>
    public void Reconfigure(HarepdConfig config) => _fence.Policy = PostgresDoor.PolicyOf(config);

    public async ValueTask DisposeAsync()
    {
        await _watcher.DisposeAsync();
        _watchdog.Dispose();
        Lane.Dispose();
        Steering.Dispose();
        Guard.Dispose();
        _fence.Dispose();
    }
}
