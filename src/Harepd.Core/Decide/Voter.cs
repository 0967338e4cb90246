using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>
/// The voter: a pure function from its memory and a request to its new memory and an answer. It implements R2, R4, R7, R8 and R10
/// of DESIGN section 4 literally; docs/LEASE.md argues why, and the explorer switches each rule off in turn.
/// The caller saves the new memory before the answer leaves (R7).
/// </summary>
public static class Voter
{
    /// <summary>
    /// Answers one request at <paramref name="now"/>, the one clock reading of the step (R6).
    /// When <see cref="VoterStep.MakeDurable"/> is set, the answer is "ask again" and the caller writes that timeline to disk,
    /// then hands it back in <see cref="VoterState.Timeline"/>.
    /// </summary>
    public static VoterStep Handle(VoterState state, LeaseRequest request, MemberId self, Membership membership, LeaseSettings settings, Instant now)
    {
        if (request.Stamp != membership.Stamp)
        {
            return Refuse(state, request, self, RefusalReason.OtherMembership, now);
        }

        if (!membership.Everyone.Contains(request.Ballot.Member))
        {
            return Refuse(state, request, self, RefusalReason.NotAMember, now);
        }

        return request switch
        {
            LeaseRequest.Prepare prepare => OnPrepare(state, prepare, self, now),
            LeaseRequest.Accept accept => OnAccept(state, accept, self, settings, now),
            LeaseRequest.Release release => OnRelease(state, release, self),
            _ => throw new InvalidOperationException($"unknown request {request.GetType().Name}"),
        };
    }

    private static VoterStep OnPrepare(VoterState state, LeaseRequest.Prepare request, MemberId self, Instant now)
    {
        var reason = JudgeBallot(state, request.Ballot, now);
        if (reason != RefusalReason.None)
        {
            return Refuse(state, request, self, reason, now);
        }

        return new VoterStep(state with { Highest = request.Ballot }, new LeaseReply.Promised(self, request.Ballot) { Note = state.Note });
    }

    private static VoterStep OnAccept(VoterState state, LeaseRequest.Accept request, MemberId self, LeaseSettings settings, Instant now)
    {
        var reason = JudgeBallot(state, request.Ballot, now);
        if (reason == RefusalReason.None && (request.Duration <= TimeSpan.Zero || request.Duration > settings.MaxDuration))
        {
            reason = RefusalReason.DurationOutOfRange;
        }

        if (reason == RefusalReason.None && state.IsTimelineLost)
        {
            reason = RefusalReason.TimelineUnknown;
        }

        if (reason == RefusalReason.None)
        {
            reason = state.Timeline.Judge(request.System, request.Timeline);
        }

        if (reason != RefusalReason.None)
        {
            return Refuse(state, request, self, reason, now);
        }

        // A timeline is durable before the first yes on it leaves: a voter that forgets it could elect a server from before the failover.
        var durable = new DurableTimeline(request.System, request.Timeline);
        if (durable != state.Timeline)
        {
            return Refuse(state, request, self, RefusalReason.TimelineBeingSaved, now) with { MakeDurable = durable };
        }

        // Never shorter than what was granted before: the holder counts on the later of two deadlines, and an answer to the shorter one may be lost.
        var expiry = Instant.Max(now + settings.HoldFor(request.Duration), state.LiveAt(now)?.Expiry ?? now);
        var lease = new LeaseRecord(request.Ballot.Owner, request.Ballot, expiry);
        var note = new SynchronyNote(request.Ballot, request.System, request.Timeline, request.Stated);
        return new VoterStep(state with { Highest = request.Ballot, Lease = lease, Note = note }, new LeaseReply.Accepted(self, request.Ballot));
    }

    /// <summary>Frees the owner's lease up to the named ballot and remembers it, so that a late Accept of it is refused (R4).</summary>
    private static VoterStep OnRelease(VoterState state, LeaseRequest.Release request, MemberId self)
    {
        var known = state.Released.GetValueOrDefault(request.Ballot.Member);
        var released = state.Released.SetItem(request.Ballot.Member, Ballot.Max(known, request.Ballot));
        var frees = state.Lease is { } lease && lease.Owner == request.Ballot.Owner && lease.Ballot <= request.Ballot;
        var next = state with { Released = released, Lease = frees ? null : state.Lease };
        return new VoterStep(next, new LeaseReply.Released(self, request.Ballot)) { Frees = frees };
    }

    /// <summary>The checks that Prepare and Accept share; a foreign live lease is refused however high the ballot (R2).</summary>
    private static RefusalReason JudgeBallot(VoterState state, Ballot ballot, Instant now)
    {
        if (now < state.AbstainUntil)
        {
            return RefusalReason.Abstaining;
        }

        if (state.LiveAt(now) is { } live && live.Owner != ballot.Owner)
        {
            return RefusalReason.ForeignLease;
        }

        // The record's own ballot is a floor of its own: a lower ballot of the same owner must not shorten it.
        if (ballot < state.Highest || (state.LiveAt(now) is { } mine && ballot < mine.Ballot))
        {
            return RefusalReason.BallotTooLow;
        }

        return state.Released.TryGetValue(ballot.Member, out var released) && ballot <= released
            ? RefusalReason.BallotReleased
            : RefusalReason.None;
    }

    private static VoterStep Refuse(VoterState state, LeaseRequest request, MemberId self, RefusalReason reason, Instant now)
    {
        var live = state.LiveAt(now);
        var highest = Ballot.Max(state.Highest, state.Released.GetValueOrDefault(request.Ballot.Member));
        var until = reason == RefusalReason.Abstaining ? state.AbstainUntil : live?.Expiry ?? now;
        var refused = new LeaseReply.Refused(self, request.Ballot, reason, highest, live?.Owner, until > now ? until - now : TimeSpan.Zero);
        return new VoterStep(state, refused);
    }
}

/// <summary>What came of one request.</summary>
/// <param name="State">The voter's memory afterwards; to be saved before the answer leaves when it changed.</param>
/// <param name="Reply">The answer.</param>
public readonly record struct VoterStep(VoterState State, LeaseReply Reply)
{
    /// <summary>A timeline to write to disk (fsync) before a yes can be given; null when none.</summary>
    public DurableTimeline? MakeDurable { get; init; }

    /// <summary>True when the request ended a recorded lease: the time to look for a successor.</summary>
    public bool Frees { get; init; }
}
