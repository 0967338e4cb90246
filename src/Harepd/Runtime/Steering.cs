using System.Collections.Immutable;
using Harepd.Config;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>Every HAProxy of the configuration, one lane each: none waits for another.</summary>
internal sealed class Steering : IDisposable
{
    private readonly HaproxyLanes _lanes;
    private ImmutableDictionary<string, RouteApplied> _applied = ImmutableDictionary<string, RouteApplied>.Empty;

    /// <param name="config">The node's configuration.</param>
    /// <param name="leaseEnd">Until when this member may be ready for writes, now; <see cref="Instant.Zero"/> without a lease.</param>
    /// <param name="log">The room's logger.</param>
    /// <param name="keeps">False for the guard: it cuts once and keeps no route, or it would go on cutting a server whose daemon has come back.</param>
    public Steering(HarepdConfig config, Func<Instant> leaseEnd, ILogger log, bool keeps = true)
    {
        var target = TargetOf(config);
        _lanes = new HaproxyLanes(config.Haproxy.Endpoints.Select(endpoint =>
            new HaproxyLane(endpoint, target, config.Haproxy.Timeout, config.Haproxy.Reconcile, leaseEnd, Note, log)));
        _lanes.Start(keeps);
    }

    /// <summary>What each HAProxy last answered, by its name in the configuration.</summary>
    public ImmutableDictionary<string, RouteApplied> Applied => Volatile.Read(ref _applied);

    /// <summary>This node's names in HAProxy.</summary>
    public static HaproxyTarget TargetOf(HarepdConfig config) =>
        new(config.Haproxy.WriteBackend, config.Haproxy.ReadBackend, config.Haproxy.ServerName);

    /// <summary>Tells every lane; does not wait.</summary>
    public void Steer(Effect.Steer steer)
    {
        var desire = new RouteDesire
        {
            Term = steer.Term,
            Kind = steer.Route.Write ? RouteKind.Write : RouteKind.Cut,
            ReadReady = steer.Route.Read,
            NotAfter = steer.Route.Write ? steer.NotAfter : null,
            EndReadSessions = steer.Route == Route.None,
        };
        _lanes.Desire(desire);
    }

    /// <summary>Engages the hold, or releases it; does not wait. <paramref name="settled"/> is called once for each engagement, on a lane's thread.</summary>
    public void Hold(Effect effect, Action<Input.HoldSettled> settled)
    {
        if (effect is Effect.EngageHold engage)
        {
            _lanes.EngageHold(engage.Sequence, engage.Term, engage.Until, tally => settled(new Input.HoldSettled(engage.Sequence, tally.IsHeld, tally.Detail)));
        }
        else
        {
            _lanes.ReleaseHold();
        }
    }

    /// <summary>Begins to cut this node at every HAProxy, each on a thread of its own; the caller goes on and waits for it later.</summary>
    public Cutting BeginCut(Instant deadline) => _lanes.BeginCut(deadline);

    public void Dispose() => _lanes.Dispose();

    private void Note(RouteApplied applied) =>
        ImmutableInterlocked.AddOrUpdate(ref _applied, applied.Endpoint.Name, applied, (_, _) => applied);
}
