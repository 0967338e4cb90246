using System.Collections.Frozen;
using System.Collections.Immutable;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Microsoft.Extensions.Logging;

namespace Harepd.Peers;

/// <summary>
/// Speaks to the other members: one lane each, so that a frozen, silent or lying one never delays a word to the others. Sending never waits and
/// never fails; answers come back by callback from pool threads, which must not block. Thread-safe.
/// </summary>
internal sealed class PeerLink : IDisposable
{
    private readonly FrozenDictionary<MemberId, PeerLane> _lanes;

    /// <param name="from">Who speaks.</param>
    /// <param name="peers">Whom to reach; the own member only where its voter lives in another process.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="onReply">Takes a voter's answer; its voter is the one that was asked.</param>
    /// <param name="onHeard">Takes reports that a peer gave back for ours.</param>
    /// <param name="log">Told of changes alone.</param>
    public PeerLink(
        PeerIdentity from,
        IEnumerable<MemberId> peers,
        PeerLinkOptions options,
        Action<LeaseReply> onReply,
        Action<ImmutableArray<NodeReport>> onHeard,
        ILogger log)
    {
        _lanes = peers.Distinct().ToFrozenDictionary(
            peer => peer,
            peer => new PeerLane(peer, from, options, onReply, onHeard, new PeerReach(peer, log)));
    }

    /// <summary>Who is reached now, in the order of the members.</summary>
    public ImmutableArray<PeerReachState> Reach => [.. _lanes.Values.Select(lane => lane.Reach.State).OrderBy(state => state.Peer)];

    /// <summary>Asks a member's voter; an unknown member is nobody.</summary>
    public void Send(MemberId to, LeaseRequest request)
    {
        if (_lanes.TryGetValue(to, out var lane))
        {
            lane.Send(request);
        }
    }

    /// <summary>Tells every peer, at most <see cref="WireLimits.MaxReports"/> reports.</summary>
    public void Share(ImmutableArray<NodeReport> reports)
    {
        foreach (var lane in _lanes.Values)
        {
            lane.Share(reports);
        }
    }

    public void Dispose()
    {
        foreach (var lane in _lanes.Values)
        {
            lane.Dispose();
        }
    }
}
