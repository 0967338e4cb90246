using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// A bug to plant around the product's functions or in the rooms of the simulated world; the plain one plants none.
/// The simulator must find every one that is planted above the lease (docs/MUTATIONS.md).
/// </summary>
internal class Mutation
{
    public static readonly Mutation None = new();

    public virtual string Name => "none";

    /// <summary>Openings are done whatever the clock says.</summary>
    public virtual bool OpensLate => false;

    /// <summary>HAProxy is steered whatever the clock says.</summary>
    public virtual bool SteersLate => false;

    /// <summary>A fence leaves connections that were still authenticating.</summary>
    public virtual bool SparesAuthenticating => false;

    /// <summary>A block is believed without looking at whose it is and what it says.</summary>
    public virtual bool TrustsAnyBlock => false;

    /// <summary>A proxy that was reloaded is not told again.</summary>
    public virtual bool ForgetsProxies => false;

    public virtual NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) => NodeMachine.Step(state, settings, input, now);

    /// <summary>True when this word to the guard is lost.</summary>
    public virtual bool ForgetsGuard(Effect.ArmWatchdog arm, Instant before) => false;

    public virtual NodeStart Start(NodeStart start) => start;

    public virtual void Save(SimHost host, Effect.SaveMemory save)
    {
        host.VoterOnTmpfs = save.Voter ?? host.VoterOnTmpfs;
        host.LeaseOnTmpfs = save.Lease ?? host.LeaseOnTmpfs;
    }
}
