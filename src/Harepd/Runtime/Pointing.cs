using System.Collections.Immutable;
using Harepd.Config;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Pgbouncer;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>Every PgBouncer of the configuration, one lane each: none waits for another, and nobody waits for them.</summary>
internal sealed class Pointing : IDisposable
{
    private readonly ImmutableArray<PgbouncerLane> _lanes;
    private ImmutableSortedDictionary<string, PointApplied> _applied = ImmutableSortedDictionary<string, PointApplied>.Empty;

    /// <param name="config">The node's configuration.</param>
    /// <param name="leaseEnd">Until when this member may be named as the writer, now; <see cref="Instant.Zero"/> without a lease.</param>
    /// <param name="log">The room's logger.</param>
    public Pointing(HarepdConfig config, Func<Instant> leaseEnd, ILogger log)
    {
        var target = TargetOf(config);
        var file = new IncludeFile(target);
        _lanes = [.. config.Pgbouncer.Endpoints.Select(endpoint =>
            new PgbouncerLane(endpoint, target, file, config.Pgbouncer.Timeout, config.Pgbouncer.Reconcile, leaseEnd, Note, log))];
        foreach (var lane in _lanes)
        {
            lane.Start();
        }
    }

    /// <summary>What each PgBouncer last came to, by its name in the configuration.</summary>
    public IEnumerable<PointApplied> Applied => Volatile.Read(ref _applied).Values;

    /// <summary>What is managed, from the configuration.</summary>
    public static PgbouncerTarget TargetOf(HarepdConfig config) => new()
    {
        Databases = config.Pgbouncer.Databases,
        IncludeFile = config.Pgbouncer.IncludeFile ?? "",
        User = config.Pgbouncer.User,
        PassFile = config.Pgbouncer.PassFile ?? config.Postgres?.PassFile,
        OwnHost = config.PrimaryIp?.ToString() ?? "",
        OwnPort = config.Postgres?.Port ?? 0,
    };

    /// <summary>Tells every lane; does not wait.</summary>
    public void Point(Effect.Point point) => Each(lane => lane.Desire(new PointDesire(point.Place, point.Term)));

    /// <summary>Engages the hold, or releases it; does not wait and does not answer: PgBouncer's own clients lose nothing when it comes late.</summary>
    public void Hold(Effect effect) => Each(lane => lane.Hold(effect is Effect.EngageHold engage ? new PoolHold(engage.Term, engage.Until) : null));

    /// <summary>This node is being fenced: its PgBouncers let clients wait. Does not wait.</summary>
    public void Cut() => Each(lane => lane.Cut());

    /// <summary>Nobody steers from now on: nobody is left waiting.</summary>
    public void LetGo() => Each(lane => lane.LetGo());

    public void Dispose() => Each(lane => lane.Dispose());

    private void Each(Action<PgbouncerLane> action)
    {
        foreach (var lane in _lanes)
        {
            action(lane);
        }
    }

    private void Note(PointApplied applied) =>
        ImmutableInterlocked.Update(ref _applied, known => known.SetItem(applied.Endpoint.Name, applied));
}
