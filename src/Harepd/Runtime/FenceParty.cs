using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Postgres.Fencing;
using Harepd.Postgres.Hba;

namespace Harepd.Runtime;

/// <summary>
/// All that shuts a node, together: the gate on the calling thread, every HAProxy on threads of its own meanwhile. The daemon's lane, its
/// watchdog and the guard process use the same means.
/// </summary>
internal sealed class FenceParty : IDisposable
{
    private readonly HbaGate _hba;
    private readonly Fencer _strict;
    private readonly Fencer _lenient;
    private readonly Steering _steering;
    private readonly Pointing? _pointing;

    /// <param name="config">The node's configuration.</param>
    /// <param name="steering">The HAProxys to cut; not owned.</param>
    /// <param name="pointing">The PgBouncers, which are told and not waited for; not owned.</param>
    public FenceParty(HarepdConfig config, Steering steering, Pointing? pointing = null)
    {
        (_steering, _pointing) = (steering, pointing);
        var settings = PostgresDoor.SettingsOf(config);
        _hba = new HbaGate(settings, PostgresDoor.PolicyOf(config));
        _strict = new Fencer(settings, _hba, new FenceSettings { StopWhenUnconfirmed = config.Fence.StopPostmaster });
        _lenient = new Fencer(settings, _hba, new FenceSettings { StopWhenUnconfirmed = false });
        Door = new PostgresDoor(_hba, _strict, _lenient);
    }

    /// <summary>The gate alone.</summary>
    public PostgresDoor Door { get; }

    /// <summary>Goes through the parts of a fence without ending anything, so that the first real one pays neither for compilation nor for logins. Best effort.</summary>
    public void Rehearse(Instant deadline) => _strict.Rehearse(deadline);

    /// <summary>Fences on the calling thread; returns when done, at the latest a scheduling delay after <paramref name="deadline"/>.</summary>
    public GateOutcome Fence(Term term, Instant deadline, bool mayStop, string reason)
    {
        var cut = _steering.BeginCut(deadline);
        _pointing?.Cut();
        var outcome = Door.Fence(term, deadline, mayStop, reason);
        var haproxy = cut.Wait(deadline);
        return haproxy.Detail.Length == 0 ? outcome : outcome with { Detail = $"{outcome.Detail}; HAProxy: {haproxy.Detail}" };
    }

    public void Dispose()
    {
        _strict.Dispose();
        _lenient.Dispose();
        _hba.Dispose();
    }
}
