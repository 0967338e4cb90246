using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>What a candidate asks of a voter. Closed set; each carries the membership stamp it was made under (R10).</summary>
public abstract record LeaseRequest(MembershipStamp Stamp, Ballot Ballot)
{
    /// <summary>Asks for the promise to refuse lower ballots, and whether a lease is live.</summary>
    public sealed record Prepare(MembershipStamp Stamp, Ballot Ballot) : LeaseRequest(Stamp, Ballot);

    /// <summary>Proposes the ballot's owner as the holder for <paramref name="Duration"/>, or renews it.</summary>
    /// <param name="Stamp">See the base.</param>
    /// <param name="Ballot">Its owner is the proposed holder.</param>
    /// <param name="Duration">At most the voters' D_max.</param>
    /// <param name="Timeline">Where the owner's server writes.</param>
    /// <param name="System">The owner's system identifier.</param>
    public sealed record Accept(MembershipStamp Stamp, Ballot Ballot, TimeSpan Duration, TimelinePoint Timeline, SystemId System)
        : LeaseRequest(Stamp, Ballot)
    {
        /// <summary>What the owner's server waits for before it acknowledges, at the least (ADR 0018); null: not said.</summary>
        public Synchrony? Stated { get; init; }
    }

    /// <summary>The ballot's owner gives up all its ballots up to this one; sent only when its gate is shut and confirmed (R4).</summary>
    public sealed record Release(MembershipStamp Stamp, Ballot Ballot) : LeaseRequest(Stamp, Ballot);
}

/// <summary>A voter's answer. It echoes the ballot of the request, and counts only for exactly that ballot (R5).</summary>
public abstract record LeaseReply(MemberId Voter, Ballot Ballot)
{
    /// <summary>Promised, and no lease of another owner is live here.</summary>
    public sealed record Promised(MemberId Voter, Ballot Ballot) : LeaseReply(Voter, Ballot)
    {
        /// <summary>What this voter noted last of what a holder waits for; null where it knows of nothing, or lost its memory.</summary>
        public SynchronyNote? Note { get; init; }
    }

    /// <summary>Accepted: this voter refuses every other owner for A from now on.</summary>
    public sealed record Accepted(MemberId Voter, Ballot Ballot) : LeaseReply(Voter, Ballot);

    /// <summary>The release was noted.</summary>
    public sealed record Released(MemberId Voter, Ballot Ballot) : LeaseReply(Voter, Ballot);

    /// <summary>Refused, and why.</summary>
    /// <param name="Voter">Who answers.</param>
    /// <param name="Ballot">The ballot refused.</param>
    /// <param name="Reason">Which rule said no.</param>
    /// <param name="Highest">The highest ballot this voter has seen: the next attempt must be above it.</param>
    /// <param name="Holder">The live lease's owner, when that is the reason.</param>
    /// <param name="Remaining">How long the voter will go on refusing, by its own clock; zero when unknown. Advice only.</param>
    public sealed record Refused(MemberId Voter, Ballot Ballot, RefusalReason Reason, Ballot Highest, LeaseOwner? Holder, TimeSpan Remaining)
        : LeaseReply(Voter, Ballot);
}

/// <summary>Why a voter says no.</summary>
public enum RefusalReason
{
    /// <summary>Never sent; the default of the enumeration.</summary>
    None = 0,

    /// <summary>The voter started without its memory and is silent until every lease it may have forgotten is over (R7).</summary>
    Abstaining,

    /// <summary>Cluster name, membership epoch or hash differ (R10).</summary>
    OtherMembership,

    /// <summary>A lease of another owner is live (R2).</summary>
    ForeignLease,

    /// <summary>A higher ballot was seen (R2).</summary>
    BallotTooLow,

    /// <summary>The ballot was released by its owner (R4).</summary>
    BallotReleased,

    /// <summary>The duration is not positive or over D_max (R7).</summary>
    DurationOutOfRange,

    /// <summary>The timeline is below the highest that any holder had, or collides with it.</summary>
    OldTimeline,

    /// <summary>The system identifier is another cluster's.</summary>
    OtherSystem,

    /// <summary>The asker is not a member of the set it names.</summary>
    NotAMember,

    /// <summary>The new timeline is on its way to the disk; ask again.</summary>
    TimelineBeingSaved,

    /// <summary>The voter lost its note of the highest timeline and has not heard from all other members yet.</summary>
    TimelineUnknown,
}
