using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>The counting of replies: what a promise, an acceptance or a refusal leads to.</summary>
public static partial class LeaseMachine
{
    /// <summary>Takes in a voter's answer; only one that echoes exactly the current ballot counts (R5).</summary>
    public static LeaseStep OnReply(LeaseState state, LeaseRules rules, Candidacy? candidacy, LeaseReply reply, Instant now)
    {
        var output = ImmutableArray.CreateBuilder<LeaseOutput>();
        state = Expire(state, rules, now, output);
        if (!rules.Membership.Everyone.Contains(reply.Voter))
        {
            return new LeaseStep(state, output.ToImmutable());
        }

        if (reply is LeaseReply.Refused { Highest: var highest })
        {
            state = state with { Highest = Ballot.Max(state.Highest, highest) };
        }

        if (reply is LeaseReply.Released && state.Releasing is { } releasing && releasing.Ballot == reply.Ballot)
        {
            var unheard = releasing.Unheard.Remove(reply.Voter);
            state = state with { Releasing = unheard.IsEmpty ? null : releasing with { Unheard = unheard } };
        }

        if (state.Attempt is { } attempt && attempt.Ballot == reply.Ballot)
        {
            state = Count(state, attempt, rules, candidacy, reply, now, output);
        }

        return new LeaseStep(state, output.ToImmutable());
    }

    private static LeaseState AskToAccept(
        LeaseState state, LeaseAttempt attempt, LeaseRules rules, Candidacy candidacy, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        SendToAll(rules, AcceptOf(attempt.Ballot, rules, candidacy), output);
        return state with { Attempt = attempt with { Phase = AttemptPhase.Accept, For = candidacy, Yes = [], No = [], LastSent = now } };
    }

    private static LeaseState Count(
        LeaseState state, LeaseAttempt attempt, LeaseRules rules, Candidacy? candidacy, LeaseReply reply, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        switch (reply)
        {
            case LeaseReply.Promised promised when attempt.Phase == AttemptPhase.Prepare:
                attempt = attempt with
                {
                    Yes = attempt.Yes.Add(reply.Voter),
                    No = attempt.No.Remove(reply.Voter),
                    Notes = promised.Note is { } note ? attempt.Notes.SetItem(reply.Voter, note) : attempt.Notes.Remove(reply.Voter),
                };
                state = state with { Attempt = attempt };
                if (!rules.Membership.IsMajority(attempt.Yes))
                {
                    return state;
                }

                // Promised ahead of a promotion: the promises wait for the candidacy, and what an earlier attempt was refused for is over.
                return candidacy is not null
                    ? AskToAccept(state, attempt, rules, candidacy, now, output)
                    : state with { LastRefusal = RefusalReason.None };

            case LeaseReply.Accepted when attempt.Phase == AttemptPhase.Accept:
                attempt = attempt with { Yes = attempt.Yes.Add(reply.Voter), No = attempt.No.Remove(reply.Voter) };
                state = state with { Attempt = attempt };
                return rules.Membership.IsMajority(attempt.Yes) ? Win(state, attempt, rules, now, output) : state;

            case LeaseReply.Refused refused:
                return Refused(state, attempt, rules, refused, now, output);

            default:
                return state;
        }
    }

    private static LeaseState Refused(
        LeaseState state, LeaseAttempt attempt, LeaseRules rules, LeaseReply.Refused refused, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        state = state with { LastRefusal = refused.Reason, LastHolder = refused.Holder ?? state.LastHolder };
        if (refused.Reason == RefusalReason.TimelineBeingSaved || attempt.Yes.Contains(refused.Voter))
        {
            return state;
        }

        attempt = attempt with { No = attempt.No.Add(refused.Voter) };
        state = state with { Attempt = attempt };
        if (!attempt.IsRenewal && refused.Reason == RefusalReason.Abstaining && refused.Highest > attempt.Ballot)
        {
            // All that a voter without memory knows is the term on its disk; an election below it would let the terms fall (R11).
            return Fail(state, attempt, rules, now, output);
        }

        if (!rules.Membership.IsLost(attempt.No))
        {
            return state;
        }

        // A renewal that cannot win is tried again soon with a fresh ballot above what the voters have seen; it extends nothing (R9).
        return attempt.IsRenewal
            ? state with { Attempt = null, NextRenewal = Instant.Min(state.NextRenewal, now + rules.Settings.Retransmit) }
            : Fail(state, attempt, rules, now, output, refused.Remaining);
    }

    private static LeaseState Win(LeaseState state, LeaseAttempt attempt, LeaseRules rules, Instant now, ImmutableArray<LeaseOutput>.Builder output)
    {
        var fenceAt = attempt.Deadline - rules.Settings.FenceBudget;
        if (attempt.IsRenewal)
        {
            // Expire() has run: the lease is still held here, and the later of two deadlines is right, both were granted.
            if (state.Held is not { } held)
            {
                return state with { Attempt = null };
            }

            var longer = attempt.Deadline > held.Deadline
                ? new HeldLease(held.Term, attempt.Ballot, attempt.Deadline, fenceAt, attempt.Yes) { Under = attempt.For }
                : held with { Ballot = attempt.Ballot, Under = attempt.For };
            output.Add(new LeaseOutput.Renewed(longer));
            return state with { Held = longer, Attempt = null };
        }

        var lease = new HeldLease(new Term(attempt.Ballot.Round), attempt.Ballot, attempt.Deadline, fenceAt, attempt.Yes) { Under = attempt.For };
        output.Add(new LeaseOutput.Acquired(lease));
        return state with
        {
            Held = lease,
            Attempt = null,
            Releasing = null,
            FailedElections = 0,
            LastRefusal = RefusalReason.None,
            LastHolder = null,
            NextRenewal = attempt.Began + rules.Settings.RenewInterval,
        };
    }
}
