using Harepd.Core.Model;
using Harepd.Grpc;

namespace Harepd.Peers;

/// <summary>What came of asking a member for its state.</summary>
internal abstract record PeerProbe
{
    private PeerProbe()
    {
    }

    /// <summary>It told its state.</summary>
    public sealed record Told(PeerStatus Status) : PeerProbe;

    /// <summary>It speaks gRPC and knows no such question, as a peer of the 2021 daemon.</summary>
    public sealed record Stranger : PeerProbe;

    /// <summary>It could not be asked, or did not answer as it should.</summary>
    /// <param name="Reason">One sentence for people.</param>
    public sealed record Failed(string Reason) : PeerProbe;

    /// <summary>Asks within the deadline, connecting included. Never throws, but for the caller's own token.</summary>
    public static async Task<PeerProbe> AskAsync(MemberId peer, PeerLinkOptions options, TimeSpan deadline, CancellationToken token)
    {
        try
        {
            return new Told(await StatusInquiry.AskAsync(peer, options, deadline, token));
        }
        catch (GrpcException failure)
        {
            token.ThrowIfCancellationRequested();
            return failure.Code == GrpcStatusCode.Unimplemented ? new Stranger() : new Failed($"{failure.Code}: {failure.Detail}");
        }
    }
}
