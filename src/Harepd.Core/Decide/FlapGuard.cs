using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>A growing minimum time between automatic failovers, so that a cluster whose servers keep dying does not go round in circles.</summary>
public static class FlapGuard
{
    /// <summary>The most that are remembered; more would not lengthen the wait.</summary>
    public const int Kept = 16;

    /// <summary>Before this instant no automatic failover begins; <see cref="Instant.Zero"/> when nothing stands in its way.</summary>
    public static Instant NotBefore(ImmutableArray<Instant> failovers, FailoverPolicy policy, Instant now)
    {
        var recent = failovers.Count(at => now - at < policy.FlapWindow);
        if (recent == 0 || policy.MinInterval <= TimeSpan.Zero)
        {
            return Instant.Zero;
        }

        var doublings = Math.Min(recent - 1, 20);
        var wait = TimeSpan.FromTicks(Math.Min(policy.MinInterval.Ticks << doublings, policy.MaxInterval.Ticks));
        return failovers.Max() + wait;
    }

    /// <summary>With one more failover; the oldest are forgotten.</summary>
    public static ImmutableArray<Instant> With(ImmutableArray<Instant> failovers, Instant at) =>
        [.. failovers.Add(at).Order().TakeLast(Kept)];
}
