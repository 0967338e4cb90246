using System.Collections.Immutable;
using Google.Protobuf;
using Harepd.Core.Model;
using Harepd.Grpc;
using Harepd.Wire.V1;

namespace Harepd.Peers;

/// <summary>A member's last decisions on the wire, and how another asks for them.</summary>
internal static class HistoryWire
{
    /// <summary>Lines beyond this are not sent.</summary>
    public const int MostLines = 1000;

    /// <summary>What the lines of one answer come to at most; the rest of a message is small.</summary>
    private const int MostBytes = WireLimits.MaxShareBytes - 16 * 1024;

    /// <summary>How many lines are asked for.</summary>
    public static int MostOf(HistoryRequest request) => request.Last is > 0 and < MostLines ? request.Last : MostLines;

    /// <summary>The newest of these lines that fit, oldest first.</summary>
    public static HistoryReply Write(IEnumerable<byte[]> lines)
    {
        var left = MostBytes;
        var newest = lines.Reverse().TakeWhile(line => (left -= line.Length + 8) >= 0);
        var reply = new HistoryReply();
        reply.Lines.AddRange(newest.Reverse().Select(line => ByteString.CopyFrom(line)));
        return reply;
    }

    /// <summary>Asks a member; its lines, or why there are none.</summary>
    public static async Task<(ImmutableArray<byte[]> Lines, string? Problem)> AskAsync(MemberId peer, PeerLinkOptions options, int last, TimeSpan deadline, CancellationToken token)
    {
        try
        {
            using var channel = (options with { ConnectTimeout = deadline }).Open(peer);
            var reply = await channel.CallAsync(PeerMethods.History, new HistoryRequest { Last = last }, deadline, token);
            return ([.. reply.Lines.Select(line => line.ToByteArray())], null);
        }
        catch (GrpcException failure)
        {
            token.ThrowIfCancellationRequested();
            return ([], failure.Code == GrpcStatusCode.Unimplemented ? "it is no harepd that tells its history" : $"{failure.Code}: {failure.Detail}");
        }
    }
}
