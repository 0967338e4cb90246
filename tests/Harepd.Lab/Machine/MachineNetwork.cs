using System.Text;

namespace Harepd.Lab.Machine;

/// <summary>
/// Machines on one bridge, each a network namespace with an address of its own; the bridge is a namespace too, and that is where the network is
/// cut. A cut drops packets in silence, as a dead switch does: nobody is told, connections just stall. The lab's clean-up removes it all.
/// </summary>
public sealed class MachineNetwork
{
    /// <summary>Every address of the network. No other namespace sees it, so that all labs may use the same.</summary>
    public const string Block = "10.77.0.0/24";

    private const string Bridge = "bridge";
    private const int LossPercent = 30;

    private readonly LabFolder lab;
    private readonly Dictionary<string, NetworkMachine> machines;
    private readonly string bridgePath;

    private MachineNetwork(LabFolder lab, IEnumerable<NetworkMachine> machines)
    {
        this.lab = lab;
        this.machines = machines.ToDictionary(machine => machine.Name, StringComparer.Ordinal);
        bridgePath = NetworkSpaces.PathOf(NetworkSpaces.NameOf(lab.Root, Bridge));
    }

    /// <summary>Null where a network can be made; otherwise why not.</summary>
    public static string? WhyNot => NetworkSpaces.WhyNot;

    public NetworkMachine this[string name] => machines[name];

    public IEnumerable<NetworkMachine> Machines => machines.Values;

    /// <summary>The address of one host.</summary>
    public static string AddressOf(int host) => $"10.77.0.{host}";

    /// <summary>Nothing passes between the two sides, in either direction; what is on one side goes on among itself.</summary>
    public Task CutAsync(IEnumerable<NetworkMachine> one, IEnumerable<NetworkMachine> other)
    {
        var (left, right) = (one.ToList(), other.ToList());
        return AddAsync("cut", Pairs(left, right).Concat(Pairs(right, left)));
    }

    /// <summary>Nothing passes from the one side to the other; the way back stays.</summary>
    public Task CutOneWayAsync(IEnumerable<NetworkMachine> from, IEnumerable<NetworkMachine> to) => AddAsync("cut", Pairs(from, to.ToList()));

    /// <summary>A machine reaches nobody and nobody reaches it.</summary>
    public Task IsolateAsync(NetworkMachine machine) => CutAsync([machine], Machines.Where(other => other != machine));

    /// <summary>Three packets of ten between the two sides are lost.</summary>
    public Task LoseAsync(IEnumerable<NetworkMachine> one, IEnumerable<NetworkMachine> other)
    {
        var (left, right) = (one.ToList(), other.ToList());
        return AddAsync("lossy", Pairs(left, right).Concat(Pairs(right, left)));
    }

    /// <summary>The network is whole again.</summary>
    public Task HealAsync() => ChangeAsync("flush set bridge cuts cut\nflush set bridge cuts lossy\n");

    internal static async Task<MachineNetwork> BuildAsync(LabFolder lab, IReadOnlyDictionary<string, int> hosts)
    {
        if (WhyNot is { } reason)
        {
            throw new LabException($"no network namespaces here: {reason}");
        }

        var bridge = NetworkSpaces.NameOf(lab.Root, Bridge);
        var script = new StringBuilder($"set -e\nip netns add {bridge}\nip -n {bridge} link add br0 type bridge\nip -n {bridge} link set br0 up\n");
        foreach (var (name, host) in hosts)
        {
            var space = NetworkSpaces.NameOf(lab.Root, name);
            script.Append($"""
                ip netns add {space}
                ip -n {space} link set lo up
                ip -n {bridge} link add p{host} type veth peer name eth0 netns {space}
                ip -n {bridge} link set p{host} master br0 up
                ip -n {space} addr add {AddressOf(host)}/24 dev eth0
                ip -n {space} link set eth0 up

                """);
        }

        await Proc.MustRunAsync(lab, new ProcSpec("network", "/bin/sh", lab.WriteFile("network.sh", script.ToString())) { AsCaller = true });
        var network = new MachineNetwork(lab, hosts.Select(host => new NetworkMachine(host.Key, AddressOf(host.Value), NetworkSpaces.NameOf(lab.Root, host.Key))));
        await network.ChangeAsync($$"""
            table bridge cuts {
                set cut { type ipv4_addr . ipv4_addr; }
                set lossy { type ipv4_addr . ipv4_addr; }
                chain forward {
                    type filter hook forward priority 0; policy accept;
                    ip saddr . ip daddr @cut drop
                    ip saddr . ip daddr @lossy numgen random mod 100 < {{LossPercent}} drop
                }
            }

            """);
        return network;
    }

    private static IEnumerable<string> Pairs(IEnumerable<NetworkMachine> sources, IReadOnlyCollection<NetworkMachine> targets) =>
        sources.SelectMany(source => targets.Where(target => target != source).Select(target => $"{source.Address} . {target.Address}"));

    private Task AddAsync(string set, IEnumerable<string> pairs) => ChangeAsync($"add element bridge cuts {set} {{ {string.Join(", ", pairs)} }}\n");

    // One transaction: all of a change holds from the same moment.
    private async Task ChangeAsync(string rules) => await Proc.MustRunAsync(
        lab,
        new ProcSpec("network", "/usr/bin/nsenter", $"--net={bridgePath}", "nft", "-f", lab.WriteFile("network.nft", rules)) { AsCaller = true });
}
