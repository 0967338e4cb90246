using System.Net;
using System.Net.Sockets;
using Harepd.Grpc;
using Harepd.Wire.Models;

namespace Harepd.Peers;

/// <summary>
/// Answers <c>models.ClusterInfo/GetClusterInfo</c> so that a peer of the 2021 daemon understands it: bare IPv4 text, and a status other than OK
/// where there is nothing to say, for such a peer takes an empty OK for disagreement and an error for "ask the next".
/// </summary>
internal sealed class ClusterInfoDesk
{
    private static readonly TimeSpan KeepFor = TimeSpan.FromMilliseconds(250);
    private readonly SharedAnswer<ClusterKnowledge?> _knowledge;
    private readonly string _address;
    private readonly string _nodeName;

    /// <param name="address">This node's <c>bindAddress</c>.</param>
    /// <param name="nodeName">Its name in repmgr.</param>
    /// <param name="find">Looks the rows up; null where it cannot say.</param>
    /// <param name="deadline">Bounds one look.</param>
    public ClusterInfoDesk(string address, string nodeName, Func<CancellationToken, ValueTask<ClusterKnowledge?>> find, TimeSpan deadline)
    {
        _address = address;
        _nodeName = nodeName;
        _knowledge = new SharedAnswer<ClusterKnowledge?>(find, KeepFor, deadline);
    }

    public async ValueTask<IKnow> AnswerAsync(CancellationToken token)
    {
        var knowledge = await FindAsync(token);
        var answer = new IKnow { Ip = _address, NodeId = knowledge.NodeId, NodeName = _nodeName };
        foreach (var row in knowledge.Rows)
        {
            if (ToIPv4(row.Address) is { } address)
            {
                Add(answer, row.Kind, address);
            }
        }

        return answer.Master.Count + answer.Slaves.Count > 0
            ? answer
            : throw new GrpcException(GrpcStatusCode.Unavailable, "no active server with an IPv4 address is known");
    }

    private static void Add(IKnow answer, ClusterRowKind kind, string address)
    {
        switch (kind)
        {
            case ClusterRowKind.Primary:
                answer.Master.Add(address);
                break;
            case ClusterRowKind.Standby:
                answer.Slaves.Add(address);
                break;
            default:
                answer.Witness = address;
                break;
        }
    }

    private async Task<ClusterKnowledge> FindAsync(CancellationToken token)
    {
        ClusterKnowledge? knowledge;
        try
        {
            knowledge = await _knowledge.GetAsync(token);
        }
        catch (Exception failure) when (failure is not GrpcException && !token.IsCancellationRequested)
        {
            // The reason stays here: error texts of a server carry paths and users.
            throw new GrpcException(GrpcStatusCode.Unavailable, "the cluster's tables cannot be read now", failure);
        }

        return knowledge ?? throw new GrpcException(GrpcStatusCode.Unavailable, "the cluster's tables cannot be read now");
    }

    /// <summary>A mapped address (<c>::ffff:10.0.0.1</c>) is its IPv4 address; any other IPv6 address, a name or a path is none.</summary>
    private static string? ToIPv4(string text)
    {
        if (!IPAddress.TryParse(text, out var address))
        {
            return null;
        }

        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() : null;
    }
}
