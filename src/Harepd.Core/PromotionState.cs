using System.Collections.Immutable;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>What a node remembers for failovers. Empty, and never looked at, where repmgr promotes.</summary>
public sealed record PromotionState
{
    /// <summary>How every member looks from here and since when. Bounded by the membership.</summary>
    public ImmutableSortedDictionary<MemberId, Sighting> Sightings { get; init; } = ImmutableSortedDictionary<MemberId, Sighting>.Empty;

    /// <summary>Since when this node has been listening without a gap: silence before that is its own.</summary>
    public Instant AttentiveSince { get; init; }

    /// <summary>Whom a failover would replace; null before anybody told of a primary.</summary>
    public LastPrimary? Last { get; init; }

    /// <summary>When automatic failovers happened, by anybody; at most <see cref="FlapGuard.Kept"/>.</summary>
    public ImmutableArray<Instant> Failovers { get; init; } = [];

    /// <summary>The lease of the failover counted last, so that each is counted once.</summary>
    public Term CountedTerm { get; init; }

    /// <summary>Whether to take over, as judged in the last step.</summary>
    public FailoverVerdict Verdict { get; init; }

    /// <summary>The reason recorded last.</summary>
    public string Recorded { get; init; } = "";

    /// <summary>Since when only a better candidate stands in the way; null when none does.</summary>
    public Instant? OutrankedSince { get; init; }

    /// <summary>The promotion under way; null when none is.</summary>
    public Promotion? Current { get; init; }

    /// <summary>
    /// The server was told to promote itself, and it may still do so whatever became of the lease: nobody may read there meanwhile, for readers
    /// write once it is a primary. Over when it is one, or when its postmaster ended.
    /// </summary>
    public bool IsPending { get; init; }

    /// <summary>Number of the last pause heard of; zero before the first.</summary>
    public long PauseNumber { get; init; }

    /// <summary>No automatic failover, and no old primary that rejoins by itself, before this: an operator paused them.</summary>
    public Instant PausedUntil { get; init; }

    /// <summary>What the holder of a planned move offers this member; null when nobody does.</summary>
    public Handover? Handover { get; init; }

    /// <summary>The failover that an operator ordered here; null without one.</summary>
    public Takeover? Ordered { get; init; }

    /// <summary>synchronousOnly: what the election under way, or the promotion after it, rests on; null before its promises are a majority.</summary>
    public LossProof? Proof { get; init; }

    /// <summary>synchronousOnly: why a majority's notes forbade it last, until when that is believed, and the highest term known then.</summary>
    public string Doubt { get; init; } = "";

    public Instant DoubtUntil { get; init; }

    public Term DoubtTerm { get; init; }

    /// <summary>After a failed promotion: no attempt before this.</summary>
    public Instant FailedUntil { get; init; }

    /// <summary>The lease under which this member took over by itself, and when; for the others' count.</summary>
    public Term PromotedTerm { get; init; }

    public Instant PromotedAt { get; init; }

    /// <summary>The lease whose promotion is to be noted in repmgr's tables once the gate is open; none when there is nothing to note.</summary>
    public Term ToNote { get; init; }

    /// <summary>No look at the server is asked for before this.</summary>
    public Instant NextLook { get; init; }

    /// <summary>When the standby is told next whom to follow.</summary>
    public Instant NextFollow { get; init; }

    /// <summary>The lease of the one that the standby was told to follow last.</summary>
    public Term FollowedTerm { get; init; }

    /// <summary>When time alone may change something.</summary>
    public Instant NextWake { get; init; } = Instant.Forever;
}

/// <summary>The holder hands its right over to this standby, in a planned move (ADR 0014).</summary>
/// <param name="From">The holder.</param>
/// <param name="Offer">As it was last heard.</param>
/// <param name="Until">It counts until then.</param>
/// <param name="Refusal">Why this member does not take over; empty when it will.</param>
public sealed record Handover(MemberId From, HandoverOffer Offer, Instant Until, string Refusal)
{
    /// <summary>Everything was received: it may be asked for the lease as soon as that is free.</summary>
    public bool IsReady { get; init; }
}

/// <summary>A promotion under way, from the lease to the new timeline noted by a majority.</summary>
/// <param name="Term">The lease it is done under.</param>
/// <param name="From">The timeline that the lease was given for, and the standby's.</param>
/// <param name="Deadline">By when it must be done.</param>
public sealed record Promotion(Term Term, TimelinePoint From, Instant Began, Instant Deadline)
{
    /// <summary>The server was told to promote itself.</summary>
    public bool IsAsked { get; init; }

    /// <summary>It belongs to a planned move, and does not count as a failover.</summary>
    public bool IsPlanned { get; init; }

    /// <summary>An operator ordered it.</summary>
    public bool IsOrdered { get; init; }

    /// <summary>The voters were asked to note the new timeline.</summary>
    public bool IsRebinding { get; init; }
}
