using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>
/// The candidate's half of the lease (R1, R3-R6, R9, R10): pure functions from a state and an event to the next state and what to send.
/// Every handler first compares the stored deadlines with the one clock reading of the step (R6).
/// </summary>
public static partial class LeaseMachine
{
    /// <summary>
    /// Lets time pass: expiry, timeouts, retransmission, renewal, and an election when <paramref name="candidacy"/> allows one. With
    /// <paramref name="mayPrepare"/> and no candidacy yet an election goes as far as the promises, and on from there once there is one.
    /// </summary>
    public static LeaseStep Tick(LeaseState state, LeaseRules rules, Candidacy? candidacy, Instant now, bool mayPrepare = false)
    {
        var output = ImmutableArray.CreateBuilder<LeaseOutput>();
        state = Expire(state, rules, now, output);
        state = Retransmit(state, rules, now, output);
        if (!state.IsYielding)
        {
            state = Proceed(state, rules, candidacy, now, mayPrepare, output);
        }

        return new LeaseStep(state, output.ToImmutable());
    }

    /// <summary>Gives the lease up: every attempt in flight is dropped, and nothing is released before the gate is shut (R4).</summary>
    public static LeaseStep GiveUp(LeaseState state, string reason) => state.Held is { } held
        ? new LeaseStep(state with { Held = null, Attempt = null, IsYielding = true }, [new LeaseOutput.Yielded(held, reason)])
        : new LeaseStep(state, []);

    /// <summary>Drops an election in flight because the candidacy is gone; the gate is shut already, so it is released at once (R4).</summary>
    public static LeaseStep Withdraw(LeaseState state, LeaseRules rules, Instant now)
    {
        var output = ImmutableArray.CreateBuilder<LeaseOutput>();
        if (state.Attempt is { IsRenewal: false } && state.Held is null && !state.IsYielding)
        {
            state = StartRelease(state with { Attempt = null }, rules, now, output);
        }

        return new LeaseStep(state, output.ToImmutable());
    }

    /// <summary>
    /// The holder's server was promoted under this lease: a renewal for its new timeline begins at once, whatever is in flight (ADR 0008).
    /// Until a majority said yes to it the lease is for the old timeline, and nothing opens.
    /// </summary>
    public static LeaseStep Rebind(LeaseState state, LeaseRules rules, Candidacy candidacy, Instant now)
    {
        var output = ImmutableArray.CreateBuilder<LeaseOutput>();
        state = Expire(state, rules, now, output);
        if (state.Held is not null)
        {
            state = Renew(state, rules, candidacy, now, output);
        }

        return new LeaseStep(state, output.ToImmutable());
    }

    /// <summary>The gate is shut and confirmed: only now the release leaves (R4). The caller clears the resume file before it sends.</summary>
    public static LeaseStep GateShut(LeaseState state, LeaseRules rules, Instant now)
    {
        var output = ImmutableArray.CreateBuilder<LeaseOutput>();
        if (state.IsYielding)
        {
            state = StartRelease(state with { IsYielding = false }, rules, now, output);
            var next = BackOff(ref state, rules, now);
            state = state with { NextElection = next };
        }

        return new LeaseStep(state, output.ToImmutable());
    }

    /// <summary>A lease was seen to end: the back-off is cut short so that a candidate asks at once.</summary>
    public static LeaseState Wake(LeaseState state, Instant now) =>
        state.NextElection > now ? state with { NextElection = now, FailedElections = 0 } : state;

    /// <summary>When <see cref="Tick"/> wants to be called next after <paramref name="now"/>, at the latest.</summary>
    public static Instant NextTick(LeaseState state, LeaseRules rules, Instant now)
    {
        var settings = rules.Settings;
        var attempt = state.Attempt;
        return Instant.NextAfter(
            now,
            attempt?.Deadline ?? Instant.Forever,
            attempt is { IsRenewal: false } election ? Instant.Min(election.Began + settings.ElectionTimeout, election.Deadline - settings.FenceBudget) : Instant.Forever,
            (attempt?.LastSent ?? Instant.Forever) + settings.Retransmit,
            state is { Attempt: null, Held: null, IsYielding: false } ? state.NextElection : Instant.Forever,
            state.Held?.FenceAt ?? Instant.Forever,
            state.Held is null ? Instant.Forever : state.NextRenewal,
            (state.Releasing?.LastSent ?? Instant.Forever) + settings.Retransmit);
    }

    private static LeaseState Expire(LeaseState state, LeaseRules rules, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        if (state.Held is { } held && now >= held.FenceAt)
        {
            output.Add(new LeaseOutput.Yielded(held, "the lease was not renewed in time"));
            return state with { Held = null, Attempt = null, IsYielding = true };
        }

        if (state.Attempt is not { } attempt)
        {
            return state;
        }

        // A failed renewal extends nothing and releases nothing (R9); a failed election is dropped and released (R4).
        if (attempt.IsRenewal)
        {
            return now >= attempt.Deadline ? state with { Attempt = null } : state;
        }

        var isLate = now >= attempt.Deadline - rules.Settings.FenceBudget || now >= attempt.Began + rules.Settings.ElectionTimeout;
        return isLate ? Fail(state, attempt, rules, now, output) : state;
    }

    private static LeaseState Proceed(
        LeaseState state, LeaseRules rules, Candidacy? candidacy, Instant now, bool mayPrepare, ImmutableArray<LeaseOutput>.Builder output)
    {
        if (state.Held is not null)
        {
            return candidacy is not null && now >= state.NextRenewal ? Renew(state, rules, candidacy, now, output) : state;
        }

        if (state.Attempt is { Phase: AttemptPhase.Prepare, IsRenewal: false } promised)
        {
            return candidacy is not null && rules.Membership.IsMajority(promised.Yes)
                ? AskToAccept(state, promised, rules, candidacy, now, output)
                : state;
        }

        return state.Attempt is null && now >= state.NextElection && (candidacy is not null || mayPrepare) ? Elect(state, rules, now, output) : state;
    }

    private static LeaseState Elect(LeaseState state, LeaseRules rules, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        var ballot = NextBallot(state, now);
        SendToAll(rules, new LeaseRequest.Prepare(rules.Membership.Stamp, ballot), output);
        return Begin(state, rules, ballot, null, now);
    }

    private static LeaseState Renew(LeaseState state, LeaseRules rules, Candidacy candidacy, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        var ballot = NextBallot(state, now);
        SendToAll(rules, AcceptOf(ballot, rules, candidacy), output);
        return Begin(state, rules, ballot, candidacy, now) with { NextRenewal = now + rules.Settings.RenewInterval };
    }

    /// <summary>A renewal begins with what it asks acceptance for; an election is told so when it is promised.</summary>
    private static LeaseState Begin(LeaseState state, LeaseRules rules, Ballot ballot, Candidacy? renewed, Instant now) => state with
    {
        Highest = ballot,
        HighestSent = ballot,
        Attempt = new LeaseAttempt
        {
            Ballot = ballot,
            Phase = renewed is null ? AttemptPhase.Prepare : AttemptPhase.Accept,
            IsRenewal = renewed is not null,
            For = renewed,
            Began = now,
            Deadline = now + rules.Settings.Duration,
            LastSent = now,
        },
    };

    private static LeaseState Fail(
        LeaseState state, LeaseAttempt attempt, LeaseRules rules, Instant now, ImmutableArray<LeaseOutput>.Builder output, TimeSpan remaining = default)
    {
        output.Add(new LeaseOutput.ElectionFailed(attempt.Ballot, state.LastRefusal, state.LastHolder, attempt.Yes.Count, attempt.No.Count));
        state = StartRelease(state with { Attempt = null, FailedElections = state.FailedElections + 1 }, rules, now, output);
        var next = BackOff(ref state, rules, now);

        // While another lease is live there is no use in asking before it can end; it may be released early, hence the cap.
        var wait = IsLasting(state.LastRefusal)
            ? rules.Settings.RenewInterval
            : TimeSpan.FromTicks(Math.Min(remaining.Ticks, rules.Settings.RenewInterval.Ticks / 4));
        return state with { NextElection = Instant.Max(next, now + wait) };
    }

    /// <summary>Refusals that asking again soon will not change; each attempt could only spoil the election of one who may hold.</summary>
    private static bool IsLasting(RefusalReason reason) => reason is RefusalReason.OldTimeline or RefusalReason.OtherSystem
        or RefusalReason.OtherMembership or RefusalReason.NotAMember or RefusalReason.DurationOutOfRange;

    private static LeaseState StartRelease(LeaseState state, LeaseRules rules, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        if (state.HighestSent == default)
        {
            return state;
        }

        SendToAll(rules, new LeaseRequest.Release(rules.Membership.Stamp, state.HighestSent), output);
        var until = now + rules.Settings.Duration;
        return state with { Releasing = new PendingRelease(state.HighestSent, rules.Membership.Everyone, now, until) };
    }

    private static LeaseState Retransmit(LeaseState state, LeaseRules rules, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        if (state.Attempt is { } attempt && now >= attempt.LastSent + rules.Settings.Retransmit)
        {
            LeaseRequest request = attempt.For is { } candidacy
                ? AcceptOf(attempt.Ballot, rules, candidacy)
                : new LeaseRequest.Prepare(rules.Membership.Stamp, attempt.Ballot);
            SendTo(rules.Membership.Everyone.Except(attempt.Yes), request, output);
            state = state with { Attempt = attempt with { LastSent = now } };
        }

        if (state.Releasing is { } releasing && now >= releasing.LastSent + rules.Settings.Retransmit)
        {
            if (now >= releasing.Until)
            {
                return state with { Releasing = null };
            }

            SendTo(releasing.Unheard, new LeaseRequest.Release(rules.Membership.Stamp, releasing.Ballot), output);
            state = state with { Releasing = releasing with { LastSent = now } };
        }

        return state;
    }

    /// <summary>U(0.5,1) · 2 round trips · min(2^k, 4), plus a small offset by rank so that equals do not meet again (DESIGN section 4, liveness).</summary>
    private static Instant BackOff(ref LeaseState state, LeaseRules rules, Instant now)
    {
        var seed = state.Seed;
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        state = state with { Seed = seed };
        var fraction = 0.5 + (seed >> 11) / (double)(1UL << 53) / 2;
        var scale = 2 << Math.Min(state.FailedElections, 2);
        var rank = TimeSpan.FromMilliseconds(rules.Membership.RankOf(state.Me.Member));
        return now + rules.Settings.RoundTrip * (fraction * scale) + rank;
    }

    /// <summary>Above every ballot heard of and not below the unix time in milliseconds, whose floor rises with the clock (R11).</summary>
    private static Ballot NextBallot(LeaseState state, Instant now)
    {
        var floor = state.RoundFloor + (long)(now - state.RoundFloorAt).TotalMilliseconds;
        return new(Math.Max(floor, state.Highest.Round) + 1, state.Me.Member, state.Me.Incarnation);
    }

    private static LeaseRequest.Accept AcceptOf(Ballot ballot, LeaseRules rules, Candidacy candidacy) =>
        new(rules.Membership.Stamp, ballot, rules.Settings.Duration, candidacy.Timeline, candidacy.System) { Stated = candidacy.Stated };

    private static void SendToAll(LeaseRules rules, LeaseRequest request, ImmutableArray<LeaseOutput>.Builder output) =>
        SendTo(rules.Membership.Everyone, request, output);

    private static void SendTo(ImmutableSortedSet<MemberId> members, LeaseRequest request, ImmutableArray<LeaseOutput>.Builder output)
    {
        foreach (var member in members)
        {
            output.Add(new LeaseOutput.Send(member, request));
        }
    }
}

/// <summary>What does not change during a run: whom to ask, and how long things last.</summary>
public sealed record LeaseRules(Membership Membership, LeaseSettings Settings);

/// <summary>The next state, and what to do in this order.</summary>
public readonly record struct LeaseStep(LeaseState State, ImmutableArray<LeaseOutput> Output);
