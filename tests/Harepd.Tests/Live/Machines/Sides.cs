using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Tests.Live.Machines;

/// <summary>The machines as a cut divides them, named by what the nodes are when the test begins: the primary's side has a HAProxy and a client too.</summary>
internal sealed class Sides
{
    public Sides(LabCluster cluster, RepmgrNode primary)
    {
        var network = cluster.Lab.Network!;
        Cluster = cluster;
        Primary = primary;
        Standby = cluster.OtherThan(primary);
        NearHaproxy = cluster.Haproxies[primary.Id - 1];
        FarHaproxy = cluster.Haproxies[Standby.Id - 1];
        NearClient = network[$"client_{primary.Id}"];
        FarClient = network[$"client_{Standby.Id}"];
    }

    public LabCluster Cluster { get; }

    public RepmgrNode Primary { get; }

    public RepmgrNode Standby { get; }

    public HaproxyServer NearHaproxy { get; }

    public HaproxyServer FarHaproxy { get; }

    public NetworkMachine NearClient { get; }

    public NetworkMachine FarClient { get; }

    public MachineNetwork Network => Cluster.Lab.Network!;

    public NetworkMachine PrimaryMachine => Network[Primary.Name];

    public NetworkMachine StandbyMachine => Network[Standby.Name];

    public NetworkMachine WitnessMachine => Network[Cluster.Repmgr.Witness.Name];

    /// <summary>The primary with a HAProxy and a client.</summary>
    public IReadOnlyList<NetworkMachine> Near => [PrimaryMachine, NearHaproxy.Machine!, NearClient];

    /// <summary>The majority: standby and witness with a HAProxy and a client.</summary>
    public IReadOnlyList<NetworkMachine> Far => [StandbyMachine, WitnessMachine, FarHaproxy.Machine!, FarClient];

    /// <summary>The other voters.</summary>
    public IReadOnlyList<NetworkMachine> Peers => [StandbyMachine, WitnessMachine];
}
