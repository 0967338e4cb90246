using Harepd.Core.Model;

namespace Harepd.Core.Share;

/// <summary>Where the server is that writing clients belong to, for those who must be told an address. Advice: the gate of the server itself decides.</summary>
/// <param name="Term">The lease behind it.</param>
/// <param name="Host">The server's address.</param>
/// <param name="Port">Its port.</param>
public sealed record WriterPlace(Term Term, string Host, int Port)
{
    /// <summary>
    /// The newest holder among the others by its own fresh word, while its gate is open and it is in no planned move; null when there is none. One that
    /// fell silent is no place to send clients to, long before its word is too old for everything else.
    /// </summary>
    public static WriterPlace? Seen(ClusterView view, MemberId self, Instant now, TimeSpan silence, TimeSpan freshness)
    {
        NodeReport? newest = null;
        foreach (var (member, seen) in view.Reports)
        {
            var hasWord = now - seen.HeardAt <= silence && now - seen.MadeAt <= freshness;
            if (member != self && hasWord && seen.Report.HeldTerm > (newest?.HeldTerm ?? Term.None))
            {
                newest = seen.Report;
            }
        }

        return newest is { Gate: Gate.ReadWrite, InRecovery: false, Offer: null, Address.Length: > 0, ServerPort: > 0 }
            ? new WriterPlace(newest.HeldTerm, newest.Address, newest.ServerPort)
            : null;
    }
}
