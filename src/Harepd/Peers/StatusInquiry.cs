using Harepd.Core.Model;
using Harepd.Grpc;
using Harepd.Wire.V1;

namespace Harepd.Peers;

/// <summary>Asks a member for its state, as <c>harepd status</c> and <c>harepd check</c> do.</summary>
internal static class StatusInquiry
{
    /// <exception cref="GrpcException">It could not be asked, or did not answer as it should.</exception>
    public static async Task<PeerStatus> AskAsync(MemberId peer, PeerLinkOptions options, TimeSpan deadline, CancellationToken token)
    {
        using var channel = (options with { ConnectTimeout = deadline }).Open(peer);
        return PeerStatus.Read(await channel.CallAsync(PeerMethods.Status, new StatusRequest(), deadline, token));
    }
}
