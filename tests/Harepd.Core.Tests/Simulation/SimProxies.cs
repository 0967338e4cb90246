using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// Two HAProxys: which servers each believes ready for writes. A new holder's steering cuts the others first; a steering that is late
/// or of a lower term than the last is refused. A reload forgets what was told, and the rooms tell it again.
/// </summary>
internal sealed class SimProxies(World world)
{
    private const int Count = 2;
    private readonly Dice _dice = new(world.Plan.Seed, "proxies");
    private readonly HashSet<SimHost>[] _ready = [[], []];
    private readonly Dictionary<SimHost, (Effect.Steer Steer, SimProcess By)> _told = [];

    public IReadOnlyCollection<SimHost> ReadyAt(int proxy) => _ready[proxy];

    public void Steer(SimHost host, SimProcess by, Effect.Steer steer)
    {
        _told[host] = (steer, by);
        for (var proxy = 0; proxy < Count; proxy++)
        {
            var at = proxy;
            by.Later(_dice.Between(200 * Span.Microsecond, 3 * Span.Millisecond), () =>
            {
                // A lane does the newest thing it was told; what it was told before that is forgotten.
                if (ReferenceEquals(_told[host].Steer, steer))
                {
                    Apply(at, host, steer);
                }
            });
        }
    }

    /// <summary>The room looks now and then whether a proxy still is as it was told.</summary>
    public void Remind()
    {
        if (world.Mutation.ForgetsProxies)
        {
            return;
        }

        foreach (var (host, (steer, by)) in _told)
        {
            for (var proxy = 0; proxy < Count; proxy++)
            {
                var at = proxy;
                by.Later(0, () => Apply(at, host, steer with { NotAfter = by.State.Lease?.Held?.FenceAt ?? steer.NotAfter }));
            }
        }
    }

    /// <summary>Starts with what its configuration file says: every server is worth a try.</summary>
    public void Reload(int proxy)
    {
        _ready[proxy].Clear();
        _ready[proxy].Add(world.DataHosts[_dice.Below(world.DataHosts.Count)]);
    }

    private void Apply(int proxy, SimHost host, Effect.Steer steer)
    {
        var ready = _ready[proxy];
        if (!steer.Route.Write)
        {
            ready.Remove(host);
            return;
        }

        if (host.Now >= steer.NotAfter && !world.Mutation.SteersLate)
        {
            return;
        }

        ready.Clear();
        ready.Add(host);
        world.Checkers.Steered(host);
    }
}
