using Harepd.Core.Model;
using Harepd.Haproxy;
using Harepd.Lab.Machine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harepd.Bench.Steering;

/// <summary>The daemon's own lane to a HAProxy, without a daemon: told by the scenario, and under a lease that never ends.</summary>
internal static class SteeringLane
{
    /// <summary>Starts one for a server of a write backend.</summary>
    /// <exception cref="LabException">The endpoint cannot be read.</exception>
    public static HaproxyLane Start(string endpointText, string backend, string server)
    {
        if (!HaproxyEndpoint.TryParse(endpointText, out var endpoint, out var reason))
        {
            throw new LabException(reason);
        }

        var lane = new HaproxyLane(
            endpoint!,
            new HaproxyTarget(backend, null, server),
            TimeSpan.FromSeconds(2),
            TimeSpan.FromSeconds(1),
            () => Instant.Forever,
            _ => { },
            NullLogger.Instance);
        lane.Start();
        return lane;
    }
}
