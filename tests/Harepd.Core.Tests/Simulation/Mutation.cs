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

    /// <summary>Faults that are turned on in every seed, because the bug shows under no others.</summary>
    public virtual Faults Needs => Faults.None;

    /// <summary>True when only clusters whose members press hard on the lease, with clocks far apart, are worth a try.</summary>
    public virtual bool NeedsContest => false;

    public virtual Plan Sharpen(Plan plan) => NeedsContest
        ? plan with { Faults = plan.Faults | Needs, IsContested = true, IsManaged = false, Lease = plan.Lease with { DriftPpm = 20_000 } }
        : NeedsManaged ? plan with { Faults = plan.Faults | Needs, IsContested = false, IsManaged = true }
        : plan with { Faults = plan.Faults | Needs };

    /// <summary>Openings are done whatever the clock says.</summary>
    public virtual bool OpensLate => false;

    /// <summary>Promotions are done whatever the clock says.</summary>
    public virtual bool PromotesLate => false;

    /// <summary>True when only clusters in which harepd promotes are worth a try.</summary>
    public virtual bool NeedsManaged => false;

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
