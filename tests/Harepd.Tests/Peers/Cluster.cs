using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Peers;

namespace Harepd.Tests.Peers;

/// <summary>Members on loopback addresses of one test, with handlers that a test may replace.</summary>
internal sealed class Cluster
{
    /// <summary>Takes a free port on each address; members are the addresses with these ports.</summary>
    public Cluster(params string[] addresses)
    {
        Members = [.. addresses.Select(address => new MemberId($"{address}:{FreePort(address)}"))];
        Membership = new Membership("main", 1, Members);
    }

    public ImmutableArray<MemberId> Members { get; }

    public Membership Membership { get; }

    public PeerIdentity Identity(int index) => new(Membership, Members[index], new Incarnation((ulong)index + 100));

    public LeaseRequest Prepare(int from, long round = 1) =>
        new LeaseRequest.Prepare(Membership.Stamp, new Ballot(round, Members[from], Identity(from).Incarnation));

    public PeerServiceOptions Options(int index) => new()
    {
        Bind = IPEndPoint.Parse(Members[index].Address),
        Address = Members[index].Address.Split(':')[0],
        NodeName = $"node_{index}",
    };

    /// <summary>A member whose voter promises everything, and who knows one report of its own.</summary>
    public PeerHandlers Handlers(int index) => new()
    {
        Vote = (request, _) => ValueTask.FromResult<LeaseReply>(new LeaseReply.Promised(Members[index], request.Ballot)),
        Share = _ => [Report(index)],
        History = _ => [],
        Status = () => new PeerStatus
        {
            Member = Members[index], Incarnation = Identity(index).Incarnation, Stamp = Membership.Stamp, Version = "1.2.3", Reports = [Report(index)],
        },
        FindCluster = _ => ValueTask.FromResult<ClusterKnowledge?>(null),
        IsServing = () => true,
    };

    public NodeReport Report(int index) => new() { Member = Members[index], Incarnation = Identity(index).Incarnation, Version = 5, NodeName = $"node_{index}" };

    private static int FreePort(string address)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
