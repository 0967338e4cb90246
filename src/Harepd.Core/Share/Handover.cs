using Harepd.Core.Model;

namespace Harepd.Core.Share;

/// <summary>
/// What the holder of a planned move tells the standby that shall take over (ADR 0014). It opens nothing: the standby asks for the lease by the ordinary way, and
/// gets it only when the holder has released it.
/// </summary>
/// <param name="To">The standby that is meant.</param>
/// <param name="Number">Which move of this member; an answer to another one does not count.</param>
/// <param name="Term">The lease under which it is made.</param>
/// <param name="Timeline">Where the holder's server wrote.</param>
/// <param name="End">The standby must have received up to here; zero while the holder's server has not ended.</param>
/// <param name="For">How much longer it counts, from when the report was made; at most <see cref="Longest"/>.</param>
public sealed record HandoverOffer(MemberId To, long Number, Term Term, TimelinePoint Timeline, Lsn End, TimeSpan For)
{
    /// <summary>No offer counts for longer.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>True when the other says the same, whatever time is left.</summary>
    public bool SaysLike(HandoverOffer? other) => other is not null && this == other with { For = For };
}

/// <summary>The answer of the standby that an offer is for.</summary>
/// <param name="To">Who made the offer.</param>
/// <param name="Number">That of the offer.</param>
/// <param name="Received">How far the standby received.</param>
/// <param name="Refusal">Why it does not take over; empty when it will.</param>
public sealed record HandoverAnswer(MemberId To, long Number, Lsn Received, string Refusal);
