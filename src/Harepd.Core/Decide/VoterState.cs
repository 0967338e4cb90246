using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>What a voter remembers. Kept in memory and on tmpfs (R7); the timeline alone is durable on disk.</summary>
public sealed record VoterState
{
    /// <summary>The highest ballot promised or accepted; lower ones are refused (R2).</summary>
    public Ballot Highest { get; init; }

    /// <summary>The lease last accepted; null when none or released. It is live while now &lt; its expiry.</summary>
    public LeaseRecord? Lease { get; init; }

    /// <summary>Before this instant the voter neither promises nor accepts (R7).</summary>
    public Instant AbstainUntil { get; init; }

    /// <summary>For each member the highest ballot it released; its ballots up to there are refused (R4). Bounded by the membership.</summary>
    public ImmutableSortedDictionary<MemberId, Ballot> Released { get; init; } = ImmutableSortedDictionary<MemberId, Ballot>.Empty;

    /// <summary>The highest timeline that a holder had, as far as this voter made it durable.</summary>
    public DurableTimeline Timeline { get; init; }

    /// <summary>What the holder of the highest ballot accepted here said it waits for; null before the first, and after memory was lost.</summary>
    public SynchronyNote? Note { get; init; }

    /// <summary>
    /// Nothing was found on disk, and nobody has been heard who could say what stood there: a timeline that is too old cannot be told from a good one,
    /// so nothing is accepted.
    /// </summary>
    public bool IsTimelineLost { get; init; }

    /// <summary>The live lease at <paramref name="now"/>, or null.</summary>
    public LeaseRecord? LiveAt(Instant now) => Lease is { } lease && now < lease.Expiry ? lease : null;
}

/// <summary>A lease as a voter recorded it.</summary>
/// <param name="Owner">Member and incarnation (R2).</param>
/// <param name="Ballot">The ballot last accepted from the owner.</param>
/// <param name="Expiry">Until when this voter refuses others, on its own boot-time clock.</param>
public sealed record LeaseRecord(LeaseOwner Owner, Ballot Ballot, Instant Expiry);
