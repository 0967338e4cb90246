using System.Collections.Immutable;
using Harepd.Core.Decide;
using Harepd.Core.Share;

namespace Harepd.Peers;

/// <summary>What the service asks the rest of the daemon. None may block its thread; tokens are cancelled when the asker's time is over.</summary>
internal sealed record PeerHandlers
{
    /// <summary>Asks this member's voter (<see cref="VoteDesk.AskAsync"/>).</summary>
    public required Func<LeaseRequest, CancellationToken, ValueTask<LeaseReply>> Vote { get; init; }

    /// <summary>Takes a member's reports and gives back what is known here, with the ages of now.</summary>
    public required Func<ImmutableArray<NodeReport>, ImmutableArray<NodeReport>> Share { get; init; }

    /// <summary>The state for people and tools, from memory.</summary>
    public required Func<PeerStatus> Status { get; init; }

    /// <summary>So many of the last decisions of this process, oldest first, each a JSON object; from memory.</summary>
    public required Func<int, IEnumerable<byte[]>> History { get; init; }

    /// <summary>The rows for peers of the 2021 daemon; null where they cannot be told.</summary>
    public required Func<CancellationToken, ValueTask<ClusterKnowledge?>> FindCluster { get; init; }

    /// <summary>Whether the daemon works as it should, from memory.</summary>
    public required Func<bool> IsServing { get; init; }
}
