using Harepd.Core.Model;
using Harepd.Grpc;
using Harepd.Peers;

namespace Harepd.Lab.Daemon;

/// <summary>What a daemon says of itself and believes, asked over the wire as <c>harepd status</c> does. The clients' records are the truth; this explains it.</summary>
/// <param name="HolderMember">The member whose lease its voter keeps alive; empty when none.</param>
/// <param name="HolderHeard">The member that told it of the lease it holds, itself included; empty when none.</param>
/// <param name="HeldTerm">The term under which it holds the lease itself; zero when it does not.</param>
/// <param name="Gate">Its gate as last confirmed.</param>
/// <param name="Reason">Why, one sentence.</param>
public sealed record DaemonView(string HolderMember, string HolderHeard, long HeldTerm, Gate Gate, string Reason)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(300);

    /// <summary>Null when the daemon does not answer within 300 ms.</summary>
    public static async Task<DaemonView?> AskAsync(string member, CancellationToken cancel = default)
    {
        try
        {
            var status = await StatusInquiry.AskAsync(new MemberId(member), new PeerLinkOptions(), Limit, cancel);
            var own = status.Reports.FirstOrDefault(report => report.Member == status.Member);
            var heard = status.Reports.FirstOrDefault(report => report.HeldTerm > Term.None);
            return new DaemonView(status.Holder?.Member.Address ?? "", heard?.Member.Address ?? "", own?.HeldTerm.Value ?? 0, own?.Gate ?? Gate.Fenced, own?.Reason ?? "");
        }
        catch (GrpcException)
        {
            return null;
        }
    }
}
