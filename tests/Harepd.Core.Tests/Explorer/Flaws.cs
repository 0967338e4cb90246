using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Explorer;

/// <summary>The mutations of the lease rules: those that break it with the trace length of the design's own checker, then those that survive alone.</summary>
internal static class Flaws
{
    private static readonly Bounds Two = new(Ballots: 2);
    private static readonly Bounds TwoCalm = new(Ballots: 2, VoterRestarts: 0, CandidateRestarts: 0);
    private static readonly Bounds TwoForgetful = new(Ballots: 2, CandidateRestarts: 0);
    private static readonly Bounds ThreeCalm = new(Ballots: 3, VoterRestarts: 0, CandidateRestarts: 0);
    private static readonly Bounds ThreeRenewed = new(Ballots: 3, VoterRestarts: 0);
    private static readonly Bounds ThreeForgetful = new(Ballots: 3, CandidateRestarts: 0);

    public static IReadOnlyList<Flaw> Caught { get; } =
    [
        new() { Name = "implicit self-vote", KnownTrace = 10, Bounds = TwoCalm, CountsItself = true },
        new() { Name = "Accepted counted twice (majority of one)", KnownTrace = 12, Bounds = TwoCalm, CountsAcceptedTwice = true },
        new VoterFlaw(state => Free(state)) { Name = "R2 off in voter and candidate", KnownTrace = 14, Bounds = TwoCalm, OnPrepare = true, OnAccept = true },
        new ShortHold { Name = "A one tick short", KnownTrace = 15, Bounds = TwoCalm },
        new() { Name = "Q = 0", KnownTrace = 15, Bounds = TwoForgetful, AbstainsLess = 2 },
        new VoterFlaw(state => state with { AbstainUntil = Bounds.Base }) { Name = "accept while abstaining", KnownTrace = 15, Bounds = TwoForgetful, OnAccept = true, OnPrepare = true, KeepsAbstention = true },
        new() { Name = "resume file written after the answer", KnownTrace = 15, Bounds = TwoForgetful, SavesLate = true },
        new() { Name = "Q one tick short", KnownTrace = 16, Bounds = TwoForgetful, AbstainsLess = 1 },
        new() { Name = "release before the fence", KnownTrace = 16, Bounds = TwoCalm, ReleasesBeforeFence = true, IsLazy = true },
        new LateDeadline { Name = "deadline from quorum receipt", KnownTrace = 16, Bounds = TwoCalm, OnElection = true },
        new LateAccepted { Name = "Accepted used after its deadline", KnownTrace = 16, Bounds = TwoCalm, IsLazy = true },
        new() { Name = "holder's expiry by a late timer", KnownTrace = 16, Bounds = TwoCalm, ExpiresByTimer = true, IsLazy = true },
        new() { Name = "resume file without abstain-until", KnownTrace = 16, Bounds = TwoForgetful with { VoterRestarts = 2 }, ForgetsAbstention = true },
        new EagerRenewal { Name = "starting a renewal extends", KnownTrace = 17, Bounds = ThreeCalm },
        new() { Name = "same ballot with a restarted timer", KnownTrace = 17, Bounds = TwoCalm, RestartsTimer = true },
        new() { Name = "opening effect executed late", KnownTrace = 17, Bounds = TwoCalm, OpensLate = true },
        new() { Name = "renewal with the same ballot", KnownTrace = 18, Bounds = TwoCalm, RenewsWithSameBallot = true },
        new() { Name = "resume file still says \"holder\" after Release", KnownTrace = 18, Bounds = TwoCalm, ResumesReleased = true },
        new() { Name = "Accepted of an older ballot counted", KnownTrace = 20, Bounds = ThreeCalm, CountsOldAccepted = true },
        new() { Name = "failed renewal cleaned up by Release", KnownTrace = 21, Bounds = ThreeCalm, ReleasesFailedRenewal = true },
        new LateDeadline { Name = "renewal's deadline from receipt", KnownTrace = 23, Bounds = ThreeCalm, OnRenewal = true },
        new VoterFlaw(state => Free(state)) { Name = "R2 off in the voter's Accept only", KnownTrace = 24, Bounds = ThreeForgetful, OnAccept = true },
        new KeptAttempt { Name = "attempt in flight kept over a Release", KnownTrace = 24, Bounds = ThreeCalm },
        new VoterFlaw(Release) { Name = "Release matches the owner only", KnownTrace = 25, Bounds = ThreeCalm },
        new VoterFlaw(Lower) { Name = "a voter's newer record overwritten by a lower ballot of the same owner", KnownTrace = 25, Bounds = ThreeCalm, HasNoFloor = true },
        new VoterFlaw(Shorten) { Name = "a shorter renewal shortens what was granted", KnownTrace = 0, Bounds = ThreeCalm, HasShortRenewals = true },
    ];

    public static IReadOnlyList<Flaw> Surviving { get; } =
    [
        new VoterFlaw(state => Free(state)) { Name = "the candidate's half of R2 off (promises while a foreign lease is live)", Bounds = Two, OnPrepare = true },
        new AcceptDeadline { Name = "R1 counted from the Accept", Bounds = Two },
        new() { Name = "promises counted twice", Bounds = Two, CountsPromisedTwice = true },
        new() { Name = "voters' timers late", Bounds = Two, VotersAreLate = true },
        new() { Name = "promises forgotten after expiry", Bounds = Two, ForgetsPromise = true },
        new VoterFlaw(state => state with { AbstainUntil = Bounds.Base }) { Name = "promising (not accepting) while abstaining", Bounds = Two, OnPrepare = true, KeepsAbstention = true },
        new Nameless { Name = "owner without incarnation when ballots are unique", Bounds = Two },
        new() { Name = "shorter renewals (a setting changed over a resumed restart)", Bounds = ThreeCalm, HasShortRenewals = true },
    ];

    private static VoterState Free(VoterState state) => state with { Lease = null };

    /// <summary>Any release of the owner frees its lease, whatever ballot it names.</summary>
    private static VoterStep Release(VoterState state, LeaseRequest request, Func<VoterState, VoterStep> vote)
    {
        var step = vote(state);
        return request is LeaseRequest.Release && step.State.Lease?.Owner == request.Ballot.Owner
            ? step with { State = step.State with { Lease = null } }
            : step;
    }

    /// <summary>An Accept is taken whatever ballot was seen before.</summary>
    private static VoterStep Lower(VoterState state, LeaseRequest request, Func<VoterState, VoterStep> vote)
    {
        if (request is not LeaseRequest.Accept || state.Lease is not { } lease || lease.Owner != request.Ballot.Owner || request.Ballot >= lease.Ballot)
        {
            return vote(state);
        }

        var step = vote(state with { Highest = default, Lease = lease with { Ballot = default, Expiry = Bounds.Base } });
        return step with { State = step.State with { Highest = Ballot.Max(state.Highest, step.State.Highest) } };
    }

    /// <summary>A renewal replaces the record as if there had been none.</summary>
    private static VoterStep Shorten(VoterState state, LeaseRequest request, Func<VoterState, VoterStep> vote) =>
        request is LeaseRequest.Accept && state.Lease is { } lease && lease.Owner == request.Ballot.Owner && request.Ballot >= lease.Ballot
            ? vote(state with { Lease = null }) is { Reply: LeaseReply.Accepted } accepted ? accepted : vote(state)
            : vote(state);

    /// <summary>The product's voter, given another memory than it has, or a step around it.</summary>
    private sealed class VoterFlaw : Flaw
    {
        private readonly Func<VoterState, LeaseRequest, Func<VoterState, VoterStep>, VoterStep>? _around;
        private readonly Func<VoterState, VoterState>? _memory;

        public VoterFlaw(Func<VoterState, VoterState> memory) => _memory = memory;

        public VoterFlaw(Func<VoterState, LeaseRequest, Func<VoterState, VoterStep>, VoterStep> around) => _around = around;

        public bool OnPrepare { get; init; }

        public bool OnAccept { get; init; }

        public bool KeepsAbstention { get; init; }

        public override VoterStep Vote(VoterState state, LeaseRequest request, Bounds bounds)
        {
            if (_around is not null)
            {
                return _around(state, request, memory => base.Vote(memory, request, bounds));
            }

            var isForeign = KeepsAbstention || (state.Lease is { } lease && lease.Owner != request.Ballot.Owner);
            if (!isForeign || !((OnPrepare && request is LeaseRequest.Prepare) || (OnAccept && request is LeaseRequest.Accept)))
            {
                return base.Vote(state, request, bounds);
            }

            var step = base.Vote(_memory!(state), request, bounds);
            var kept = step.State with { AbstainUntil = KeepsAbstention ? state.AbstainUntil : step.State.AbstainUntil };
            return step with { State = step.Reply is LeaseReply.Accepted ? kept : kept with { Lease = state.Lease } };
        }
    }

    private sealed class ShortHold : Flaw
    {
        public override VoterStep Vote(VoterState state, LeaseRequest request, Bounds bounds)
        {
            var step = base.Vote(state, request, bounds);
            return step.Reply is LeaseReply.Accepted && step.State.Lease is { } lease
                ? step with { State = step.State with { Lease = lease with { Expiry = Bounds.Base + bounds.Settings.Duration - Bounds.Unit } } }
                : step;
        }
    }

    private sealed class LateDeadline : Flaw
    {
        public bool OnElection { get; init; }

        public bool OnRenewal { get; init; }

        public override LeaseStep Reply(LeaseState state, LeaseRules rules, Candidacy candidacy, LeaseReply reply)
        {
            var step = base.Reply(state, rules, candidacy, reply);
            var deadline = Bounds.Base + rules.Settings.Duration;
            var isHit = state.Attempt is { } attempt && step.State is { Held: not null, Attempt: null } && (attempt.IsRenewal ? OnRenewal : OnElection);
            return isHit ? step with { State = step.State with { Held = step.State.Held! with { Deadline = deadline, FenceAt = deadline } } } : step;
        }
    }

    /// <summary>An attempt does not end by itself, and an acceptance makes a holder for a moment however late it comes.</summary>
    private sealed class LateAccepted : Flaw
    {
        public override LeaseStep Tick(LeaseState state, LeaseRules rules, Candidacy? candidacy) =>
            state.Attempt is not null && state.Held is null ? new LeaseStep(state, []) : base.Tick(state, rules, candidacy);

        public override LeaseStep Reply(LeaseState state, LeaseRules rules, Candidacy candidacy, LeaseReply reply)
        {
            if (state.Attempt is not { } attempt || attempt.Deadline > Bounds.Base || state.Held is not null)
            {
                return base.Reply(state, rules, candidacy, reply);
            }

            return base.Reply(state with { Attempt = attempt with { Began = Bounds.Base, Deadline = Bounds.Base + Bounds.Unit } }, rules, candidacy, reply);
        }
    }

    private sealed class EagerRenewal : Flaw
    {
        public override LeaseStep Tick(LeaseState state, LeaseRules rules, Candidacy? candidacy)
        {
            var step = base.Tick(state, rules, candidacy);
            return step.State is { Held: { } held, Attempt: { IsRenewal: true } attempt } && attempt != state.Attempt
                ? step with { State = step.State with { Held = held with { Deadline = attempt.Deadline, FenceAt = attempt.Deadline } } }
                : step;
        }
    }

    private sealed class KeptAttempt : Flaw
    {
        public override LeaseStep GiveUp(LeaseState state)
        {
            var step = base.GiveUp(state);
            return state.Attempt is { } attempt ? step with { State = step.State with { Attempt = attempt with { IsRenewal = false } } } : step;
        }
    }

    private sealed class AcceptDeadline : Flaw
    {
        public override LeaseStep Reply(LeaseState state, LeaseRules rules, Candidacy candidacy, LeaseReply reply)
        {
            var step = base.Reply(state, rules, candidacy, reply);
            return state.Attempt is { Phase: AttemptPhase.Prepare } && step.State.Attempt is { Phase: AttemptPhase.Accept } attempt
                ? step with { State = step.State with { Attempt = attempt with { Began = Bounds.Base, Deadline = Bounds.Base + rules.Settings.Duration } } }
                : step;
        }
    }

    /// <summary>Every run of a member counts as the same owner.</summary>
    private sealed class Nameless : Flaw
    {
        public override VoterStep Vote(VoterState state, LeaseRequest request, Bounds bounds)
        {
            var step = base.Vote(state, request with { Ballot = request.Ballot with { Incarnation = default } }, bounds);
            return step;
        }
    }
}
