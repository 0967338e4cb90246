using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Act;

/// <summary>What the planner needs to know; filled by the node machine from its state.</summary>
public sealed record Situation
{
    public required HeldLease? Held { get; init; }

    public required ServerObservation Server { get; init; }

    public required Fitness Fitness { get; init; }

    /// <summary>Why the server is or is not fit.</summary>
    public required string FitnessReason { get; init; }

    public bool IsYielding { get; init; }

    public bool IsStopping { get; init; }

    /// <summary>The standby is about to be promoted, or is, and its new timeline is not noted yet: nobody is let in meanwhile.</summary>
    public bool IsPromoting { get; init; }

    /// <summary>Why an operator's order shuts this node; empty when none does.</summary>
    public string ShutByOrder { get; init; } = "";

    /// <summary>A planned move of the primary is at a step at which nobody may be let in.</summary>
    public bool IsMoving { get; init; }

    /// <summary>Configuration and lag allow reads on a standby.</summary>
    public bool MayServeReads { get; init; }

    /// <summary>An earlier run may have left the write gate open.</summary>
    public bool MayBeOpen { get; init; }
}

/// <summary>The gate that should be, and why; a null gate means: wait for the first look at the server.</summary>
public readonly record struct DesiredGate(Gate? Gate, string Reason);

/// <summary>From the situation to the gate that should be. When in doubt: fenced.</summary>
public static class Planner
{
    /// <summary>
    /// The desired gate. <see cref="Gate.ReadWrite"/> only with a held lease and a server that takes writes;
    /// <see cref="Gate.ReadOnly"/> only on a running standby; everything else is fenced.
    /// </summary>
    public static DesiredGate Desire(Situation situation)
    {
        if (situation.IsStopping)
        {
            return new(Gate.Fenced, "the daemon stops");
        }

        if (situation.ShutByOrder.Length > 0)
        {
            return new(Gate.Fenced, situation.ShutByOrder);
        }

        if (situation.IsYielding)
        {
            return new(Gate.Fenced, "the lease was given up");
        }

        if (situation.IsMoving)
        {
            return new(Gate.Fenced, "a planned move is under way");
        }

        if (situation.IsPromoting)
        {
            return new(Gate.Fenced, "a promotion is under way");
        }

        if (situation.Held is not null)
        {
            // A holder that has not looked yet (resumed), or bears a short trouble, leaves the gate as it is.
            return situation.Fitness switch
            {
                Fitness.Fit => new(Gate.ReadWrite, "this member holds the lease"),
                Fitness.Bearable => new(null, situation.FitnessReason),
                _ => new(Gate.Fenced, situation.FitnessReason),
            };
        }

        if (situation.Server.Health == ServerHealth.Unknown && !situation.MayBeOpen)
        {
            return new(null, situation.FitnessReason);
        }

        if (situation.Server is { Health: ServerHealth.Running, InRecovery: true } && situation.Fitness == Fitness.Unfit)
        {
            // Shut before the server takes writes: whoever is in as a reader would become a writer without the lease (ADR 0010).
            if (situation.Server.IsPromoting)
            {
                return new(Gate.Fenced, "a promotion was asked for");
            }

            return situation.MayServeReads
                ? new(Gate.ReadOnly, "a standby that serves reads")
                : new(Gate.Fenced, "a standby that serves no reads");
        }

        return situation.Fitness == Fitness.Fit
            ? new(Gate.Fenced, "the server takes writes and this member does not hold the lease")
            : new(Gate.Fenced, situation.FitnessReason);
    }

    /// <summary>What HAProxy should do for this node: traffic only to a gate that is confirmed open and not about to be shut.</summary>
    /// <param name="held">The lease.</param>
    /// <param name="isKnown">The gate is confirmed.</param>
    /// <param name="now">The gate.</param>
    /// <param name="asked">What it was asked to be.</param>
    /// <param name="holderServesReads">Readers may be sent to the holder as well.</param>
    /// <param name="isMaintained">A standby gets no new readers.</param>
    public static Route RouteOf(HeldLease? held, bool isKnown, Gate now, Gate? asked, bool holderServesReads, bool isMaintained = false)
    {
        var isSettled = isKnown && asked == now;
        var isWriter = isSettled && now == Gate.ReadWrite && held is not null;
        var isReader = isSettled && now == Gate.ReadOnly;
        return new Route(Write: isWriter, Read: (isReader && !isMaintained) || (isWriter && holderServesReads)) { LeavesReaders = isReader && isMaintained };
    }
}
