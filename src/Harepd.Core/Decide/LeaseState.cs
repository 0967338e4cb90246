using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>What a candidate knows of its own attempts and of the lease it holds. Immutable; changed by <see cref="LeaseMachine"/> only.</summary>
public sealed record LeaseState
{
    /// <summary>The owner this run of the daemon proposes.</summary>
    public required LeaseOwner Me { get; init; }

    /// <summary>Rounds begin above this: unix milliseconds at <see cref="RoundFloorAt"/>, so that terms do not fall after memory loss (R11).</summary>
    public required long RoundFloor { get; init; }

    /// <summary>When the floor was read; it rises with the time since, or a run that began long ago would propose terms below a younger one's.</summary>
    public Instant RoundFloorAt { get; init; }

    /// <summary>State of the random back-off; any value but zero.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The highest ballot heard of, from anybody.</summary>
    public Ballot Highest { get; init; }

    /// <summary>The highest ballot this owner sent: what a release names (R4).</summary>
    public Ballot HighestSent { get; init; }

    /// <summary>The election or renewal in flight; at most one.</summary>
    public LeaseAttempt? Attempt { get; init; }

    /// <summary>The lease held; null when none.</summary>
    public HeldLease? Held { get; init; }

    /// <summary>True from giving up until the gate is confirmed shut: no attempt may begin, no release may leave (R4).</summary>
    public bool IsYielding { get; init; }

    /// <summary>The release being told to the voters; null when all know or time made it needless.</summary>
    public PendingRelease? Releasing { get; init; }

    /// <summary>No election before this instant.</summary>
    public Instant NextElection { get; init; }

    /// <summary>When the holder renews next.</summary>
    public Instant NextRenewal { get; init; }

    /// <summary>Elections that failed since the last success; scales the back-off.</summary>
    public int FailedElections { get; init; }

    /// <summary>Why the last attempt failed; what a person asks first.</summary>
    public RefusalReason LastRefusal { get; init; }

    /// <summary>Whose lease stood in the way last; advice.</summary>
    public LeaseOwner? LastHolder { get; init; }
}

/// <summary>Which question an attempt is asking.</summary>
public enum AttemptPhase
{
    /// <summary>Waiting for promises.</summary>
    Prepare,

    /// <summary>Waiting for acceptances.</summary>
    Accept,
}

/// <summary>One attempt to get or to renew the lease.</summary>
public sealed record LeaseAttempt
{
    public required Ballot Ballot { get; init; }

    public required AttemptPhase Phase { get; init; }

    public required bool IsRenewal { get; init; }

    /// <summary>P: the clock before the first message left. Retransmission never moves it (R1).</summary>
    public required Instant Began { get; init; }

    /// <summary>P + D: what the lease will last until; nothing counts at or after it (R6).</summary>
    public required Instant Deadline { get; init; }

    public required Instant LastSent { get; init; }

    /// <summary>What the acceptance is asked for; the same in every Accept of this ballot, so that the yeses are to one question.</summary>
    public Candidacy? For { get; init; }

    /// <summary>Distinct voters that said yes in this phase (R5).</summary>
    public ImmutableSortedSet<MemberId> Yes { get; init; } = [];

    /// <summary>What the voters that promised had noted of what a holder waits for; who knows of nothing is not here.</summary>
    public ImmutableSortedDictionary<MemberId, SynchronyNote> Notes { get; init; } = ImmutableSortedDictionary<MemberId, SynchronyNote>.Empty;

    /// <summary>Distinct voters that said no in this phase.</summary>
    public ImmutableSortedSet<MemberId> No { get; init; } = [];
}

/// <summary>A lease held.</summary>
/// <param name="Term">Round of the acquiring ballot; renewals keep it (R11).</param>
/// <param name="Ballot">The ballot last accepted by a majority.</param>
/// <param name="Deadline">When the right ends.</param>
/// <param name="FenceAt">Deadline less the fence budget: the holder has given up by then.</param>
/// <param name="Voters">Who accepted last; for the record.</param>
public sealed record HeldLease(Term Term, Ballot Ballot, Instant Deadline, Instant FenceAt, ImmutableSortedSet<MemberId> Voters)
{
    /// <summary>The system and timeline that the voters said yes to; the lease is for no other.</summary>
    public Candidacy? Under { get; init; }
}

/// <summary>A release on its way: repeated to those that have not noted it, until time makes it needless.</summary>
public sealed record PendingRelease(Ballot Ballot, ImmutableSortedSet<MemberId> Unheard, Instant LastSent, Instant Until);

/// <summary>What a candidate brings along: only a writable server (or one that will promote) makes one.</summary>
public sealed record Candidacy(TimelinePoint Timeline, SystemId System)
{
    /// <summary>What the server waits for before it acknowledges, at the least; what a majority accepted with it stands until the next renewal (ADR 0018).</summary>
    public Synchrony? Stated { get; init; }
}

/// <summary>What the lease machine asks of its caller. Closed set.</summary>
public abstract record LeaseOutput
{
    private LeaseOutput()
    {
    }

    /// <summary>Send this request to that voter, one's own included (R5).</summary>
    public sealed record Send(MemberId To, LeaseRequest Request) : LeaseOutput;

    /// <summary>The lease is held from now on.</summary>
    public sealed record Acquired(HeldLease Lease) : LeaseOutput;

    /// <summary>The lease lasts longer now.</summary>
    public sealed record Renewed(HeldLease Lease) : LeaseOutput;

    /// <summary>The lease is given up or lost: shut the gate, confirm, then call <see cref="LeaseMachine.GateShut"/>.</summary>
    public sealed record Yielded(HeldLease Lease, string Reason) : LeaseOutput;

    /// <summary>An election failed; for the record.</summary>
    public sealed record ElectionFailed(Ballot Ballot, RefusalReason Reason, LeaseOwner? Holder, int Yes, int No) : LeaseOutput;
}
