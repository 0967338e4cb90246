using Harepd.Lab.Daemon;
using Harepd.Lab.Servers;

namespace Harepd.Lab;

/// <summary>What a <see cref="LabCluster"/> is made of.</summary>
public sealed record LabClusterOptions
{
    public RepmgrOptions Repmgr { get; init; } = new();

    public HaproxyOptions Haproxy { get; init; } = new();

    public HarepdOptions Harepd { get; init; } = new();

    /// <summary>A PgBouncer in session mode beside each data node's daemon, steered by it.</summary>
    public bool Pgbouncer { get; init; }

    /// <summary>Every node, HAProxy and client on a machine of its own (<see cref="Machine.MachineNetwork"/>) instead of all on loopback, and two HAProxys.</summary>
    public bool Network { get; init; }

    /// <summary>The members call each other by names (<see cref="LabCluster.Names"/>) instead of addresses. On loopback only.</summary>
    public bool Names { get; init; }

    /// <summary>False leaves the daemons to the test: it may start them in any order, or in two processes a node.</summary>
    public bool StartDaemons { get; init; } = true;

    /// <summary>The daemons also write their JSON log, which is dated (<see cref="LabCluster.JsonLogOf"/>).</summary>
    public bool JsonLogs { get; init; }

    /// <summary>The caller handles signals itself (<see cref="Machine.LabFolder.Create"/>).</summary>
    public bool OwnSignals { get; init; }
}
