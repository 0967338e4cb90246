using Harepd.Core.Decide;
using Harepd.Core.Model;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Decide;

/// <summary>The candidate's rules one by one; the numbers are those of DESIGN section 4.</summary>
public sealed class LeaseMachineTests
{
    private static IEnumerable<LeaseOutput.Send> Sends(LeaseStep step) => step.Output.OfType<LeaseOutput.Send>();

    private static LeaseStep Tick(LeaseState state, Instant now, bool mayAsk = true) => LeaseMachine.Tick(state, Rules, mayAsk ? OnFirst : null, now);

    private static LeaseStep Reply(LeaseState state, LeaseReply reply, Instant now) => LeaseMachine.OnReply(state, Rules, OnFirst, reply, now);

    private static LeaseReply.Promised Promised(LeaseState state, MemberId voter) => new(voter, state.Attempt!.Ballot);

    private static LeaseReply.Accepted Accepted(LeaseState state, MemberId voter) => new(voter, state.Attempt!.Ballot);

    private static LeaseReply.Refused Refused(LeaseState state, MemberId voter, RefusalReason reason = RefusalReason.BallotTooLow, Ballot highest = default) =>
        new(voter, state.Attempt!.Ballot, reason, highest, null, TimeSpan.Zero);

    /// <summary>A candidate that waits for acceptances of its election begun at <paramref name="began"/>.</summary>
    private static LeaseState Asking(Instant began)
    {
        var state = Tick(Candidate(), began).State;
        state = Reply(state, Promised(state, A), began + TimeSpan.FromMilliseconds(1)).State;
        return Reply(state, Promised(state, W), began + TimeSpan.FromMilliseconds(2)).State;
    }

    private static LeaseState Holder(Instant began)
    {
        var state = Asking(began);
        state = Reply(state, Accepted(state, A), began + TimeSpan.FromMilliseconds(3)).State;
        state = Reply(state, Accepted(state, W), began + TimeSpan.FromMilliseconds(4)).State;
        Assert.NotNull(state.Held);
        return state;
    }

    [Fact]
    public void An_election_asks_every_member_the_own_voter_included()
    {
        var step = Tick(Candidate(), At(0));

        Assert.Equal([A, B, W], Sends(step).Select(send => send.To));
        Assert.All(Sends(step), send => Assert.IsType<LeaseRequest.Prepare>(send.Request));
    }

    [Fact]
    public void Without_a_candidacy_nothing_is_asked()
    {
        var step = Tick(Candidate(), At(0), mayAsk: false);

        Assert.Empty(step.Output);
        Assert.Null(step.State.Attempt);
    }

    [Fact]
    public void Ahead_of_a_promotion_an_election_goes_as_far_as_the_promises_and_on_with_the_candidacy()
    {
        var asked = LeaseMachine.Tick(Candidate(), Rules, null, At(0), mayPrepare: true);
        Assert.All(Sends(asked), send => Assert.IsType<LeaseRequest.Prepare>(send.Request));
        var state = asked.State;
        foreach (var voter in new[] { A, W })
        {
            var step = LeaseMachine.OnReply(state, Rules, null, Promised(state, voter), At(1));
            Assert.Empty(step.Output);
            state = step.State;
        }

        Assert.Empty(LeaseMachine.Tick(state, Rules, null, At(2), mayPrepare: true).Output);
        var accepts = Tick(state, At(20));

        Assert.Equal([A, B, W], Sends(accepts).Select(send => send.To));
        Assert.All(Sends(accepts), send => Assert.Equal(state.Attempt!.Ballot, Assert.IsType<LeaseRequest.Accept>(send.Request).Ballot));
    }

    [Fact]
    public void R1_the_lease_of_an_election_prepared_ahead_counts_from_its_prepare_too()
    {
        var state = LeaseMachine.Tick(Candidate(), Rules, null, At(0), mayPrepare: true).State;
        state = LeaseMachine.OnReply(state, Rules, null, Promised(state, A), At(1)).State;
        state = LeaseMachine.OnReply(state, Rules, null, Promised(state, W), At(1)).State;
        state = Tick(state, At(500)).State;
        state = Reply(state, Accepted(state, A), At(501)).State;
        state = Reply(state, Accepted(state, W), At(502)).State;

        Assert.Equal(At(0) + Settings.Duration, state.Held!.Deadline);
    }

    [Fact]
    public void A_majority_of_promises_leads_to_the_accepts_of_the_same_ballot()
    {
        var state = Tick(Candidate(), At(0)).State;
        var one = Reply(state, Promised(state, A), At(1));
        Assert.Empty(one.Output);

        var two = Reply(one.State, Promised(state, W), At(2));

        Assert.Equal([A, B, W], Sends(two).Select(send => send.To));
        Assert.All(Sends(two), send =>
        {
            var accept = Assert.IsType<LeaseRequest.Accept>(send.Request);
            Assert.Equal(state.Attempt!.Ballot, accept.Ballot);
            Assert.Equal(Settings.Duration, accept.Duration);
            Assert.Equal((First, OneSystem), (accept.Timeline, accept.System));
        });
    }

    [Fact]
    public void R1_the_deadline_counts_from_before_the_prepare_was_sent()
    {
        var held = Holder(At(0)).Held!;

        Assert.Equal(At(0) + Settings.Duration, held.Deadline);
        Assert.Equal(held.Deadline - Settings.FenceBudget, held.FenceAt);
        Assert.Equal(new Term(held.Ballot.Round), held.Term);
    }

    [Fact]
    public void R1_retransmission_never_moves_the_deadline()
    {
        var state = Tick(Candidate(), At(0)).State;
        for (var at = 50; at <= 600; at += 50)
        {
            var step = Tick(state, At(at));
            Assert.Equal([A, B, W], Sends(step).Select(send => send.To));
            Assert.All(Sends(step), send => Assert.Equal(state.Attempt!.Ballot, send.Request.Ballot));
            state = step.State;
            Assert.Equal(At(0), state.Attempt!.Began);
            Assert.Equal(At(0) + Settings.Duration, state.Attempt.Deadline);
        }

        state = Reply(state, Promised(state, A), At(601)).State;
        state = Reply(state, Promised(state, W), At(602)).State;
        Assert.Equal(At(0) + Settings.Duration, state.Attempt!.Deadline);
        state = Tick(state, At(700)).State;
        state = Reply(state, Accepted(state, A), At(710)).State;
        state = Reply(state, Accepted(state, W), At(711)).State;
        Assert.Equal(At(0) + Settings.Duration, state.Held!.Deadline);
    }

    [Fact]
    public void R1_a_renewal_without_prepare_counts_from_before_its_accept_was_sent()
    {
        var state = Tick(Holder(At(0)), At(600)).State;
        Assert.Equal((At(600), true, AttemptPhase.Accept), (state.Attempt!.Began, state.Attempt.IsRenewal, state.Attempt.Phase));
        state = Tick(state, At(800)).State;
        state = Reply(state, Accepted(state, A), At(900)).State;

        var step = Reply(state, Accepted(state, B), At(901));

        Assert.Equal(At(600) + Settings.Duration, step.State.Held!.Deadline);
        Assert.IsType<LeaseOutput.Renewed>(Assert.Single(step.Output));
    }

    [Fact]
    public void Retransmission_asks_only_those_that_have_not_said_yes()
    {
        var state = Tick(Candidate(), At(0)).State;
        state = Reply(state, Promised(state, B), At(1)).State;

        Assert.Equal([A, W], Sends(Tick(state, At(50))).Select(send => send.To));
    }

    [Fact]
    public void R2_every_attempt_and_every_renewal_has_a_fresh_and_higher_ballot()
    {
        var state = Holder(At(0));
        var last = state.Held!.Ballot;
        for (var at = 600; at < 2600; at += 600)
        {
            state = Tick(state, At(at)).State;
            Assert.True(state.Attempt!.Ballot > last);
            last = state.Attempt.Ballot;
            state = Reply(state, Accepted(state, A), At(at + 1)).State;
            state = Reply(state, Accepted(state, B), At(at + 2)).State;
            Assert.Equal(last, state.Held!.Ballot);
            Assert.Equal(last, state.HighestSent);
        }
    }

    [Fact]
    public void R2_the_next_ballot_is_above_every_refusal()
    {
        var state = Tick(Candidate(), At(0)).State;
        state = Reply(state, Refused(state, A, highest: BallotOf(7700, B)), At(1)).State;
        state = Reply(state, Refused(state, W, highest: BallotOf(9900, W)), At(2)).State;
        Assert.Null(state.Attempt);

        state = Tick(state, At(100)).State;

        Assert.Equal(9901, state.Attempt!.Ballot.Round);
    }

    [Fact]
    public void R4_nothing_is_released_and_nothing_asked_before_the_gate_is_shut()
    {
        var held = Tick(Holder(At(0)), At(600)).State;

        var yielded = LeaseMachine.GiveUp(held, "the test says so");

        Assert.IsType<LeaseOutput.Yielded>(Assert.Single(yielded.Output));
        Assert.Null(yielded.State.Held);
        Assert.Null(yielded.State.Attempt);
        Assert.Empty(Tick(yielded.State, At(700)).Output);
        Assert.Empty(Tick(yielded.State, At(9000)).Output);
    }

    [Fact]
    public void R4_the_release_names_the_highest_ballot_sent_and_goes_to_everyone()
    {
        var held = Tick(Holder(At(0)), At(600)).State;
        var renewal = held.Attempt!.Ballot;

        var step = LeaseMachine.GateShut(LeaseMachine.GiveUp(held, "the test says so").State, Rules, At(650));

        Assert.Equal([A, B, W], Sends(step).Select(send => send.To));
        Assert.All(Sends(step), send => Assert.Equal(new LeaseRequest.Release(Three.Stamp, renewal), send.Request));
        Assert.False(step.State.IsYielding);
    }

    [Fact]
    public void R4_an_answer_to_a_dropped_renewal_gives_no_lease_back()
    {
        var held = Tick(Holder(At(0)), At(600)).State;
        var yielded = LeaseMachine.GiveUp(held, "the test says so").State;

        foreach (var voter in new[] { A, B, W })
        {
            var step = Reply(yielded, Accepted(held, voter), At(610));
            Assert.Empty(step.Output);
            yielded = step.State;
        }

        Assert.Null(yielded.Held);
    }

    [Fact]
    public void R4_the_release_is_repeated_to_those_that_have_not_noted_it_until_time_makes_it_needless()
    {
        var state = LeaseMachine.GateShut(LeaseMachine.GiveUp(Holder(At(0)), "the test says so").State, Rules, At(100)).State;
        state = LeaseMachine.OnReply(state, Rules, null, new LeaseReply.Released(A, state.HighestSent), At(110)).State;

        var again = Tick(state, At(150), mayAsk: false);
        Assert.Equal([B, W], Sends(again).Select(send => send.To));

        var late = Tick(again.State, At(100) + Settings.Duration, mayAsk: false);
        Assert.Empty(late.Output);
        Assert.Null(late.State.Releasing);
    }

    [Fact]
    public void R4_the_release_ends_when_all_have_noted_it()
    {
        var state = LeaseMachine.GateShut(LeaseMachine.GiveUp(Holder(At(0)), "the test says so").State, Rules, At(100)).State;
        foreach (var voter in new[] { A, B, W })
        {
            state = LeaseMachine.OnReply(state, Rules, null, new LeaseReply.Released(voter, state.HighestSent), At(110)).State;
        }

        Assert.Null(state.Releasing);
    }

    [Fact]
    public void R4_a_failed_election_is_dropped_and_released()
    {
        var state = Asking(At(0));
        var ballot = state.Attempt!.Ballot;
        state = Reply(state, Refused(state, A), At(10)).State;

        var step = Reply(state, Refused(state, B), At(11));

        Assert.Null(step.State.Attempt);
        Assert.Contains(step.Output, output => output is LeaseOutput.ElectionFailed { No: 2, Yes: 0 });
        Assert.Equal(3, Sends(step).Count(send => send.Request == new LeaseRequest.Release(Three.Stamp, ballot)));
    }

    [Fact]
    public void R4_an_election_that_takes_too_long_is_dropped_and_released()
    {
        var state = Tick(Candidate(), At(0)).State;
        Assert.NotNull(Tick(state, At(749)).State.Attempt);

        var step = LeaseMachine.Tick(state, Rules, null, At(750));

        Assert.Null(step.State.Attempt);
        Assert.All(Sends(step), send => Assert.IsType<LeaseRequest.Release>(send.Request));
        Assert.Equal(3, Sends(step).Count());
    }

    [Fact]
    public void R4_an_election_is_withdrawn_and_released_when_the_candidacy_is_gone()
    {
        var state = Asking(At(0));

        var step = LeaseMachine.Withdraw(state, Rules, At(10));

        Assert.Null(step.State.Attempt);
        Assert.All(Sends(step), send => Assert.Equal(new LeaseRequest.Release(Three.Stamp, state.Attempt!.Ballot), send.Request));
    }

    [Fact]
    public void R4_a_renewal_is_never_withdrawn_by_a_release()
    {
        var state = Tick(Holder(At(0)), At(600)).State;

        Assert.Empty(LeaseMachine.Withdraw(state, Rules, At(610)).Output);
    }

    [Fact]
    public void R5_one_voter_counts_once()
    {
        var state = Tick(Candidate(), At(0)).State;
        state = Reply(state, Promised(state, A), At(1)).State;
        Assert.Empty(Reply(state, Promised(state, A), At(2)).Output);

        state = Asking(At(0));
        for (var i = 0; i < 5; i++)
        {
            state = Reply(state, Accepted(state, A), At(10 + i)).State;
        }

        Assert.Null(state.Held);
    }

    [Fact]
    public void R5_only_answers_to_exactly_the_current_ballot_count()
    {
        var first = Asking(At(0));
        var old = first.Attempt!.Ballot;
        var second = Tick(Tick(first, At(750)).State, At(800)).State;
        Assert.NotEqual(old, second.Attempt!.Ballot);

        foreach (var voter in new[] { A, B, W })
        {
            second = Reply(second, new LeaseReply.Promised(voter, old), At(801)).State;
            second = Reply(second, new LeaseReply.Accepted(voter, old), At(802)).State;
        }

        Assert.Null(second.Held);
        Assert.Empty(second.Attempt!.Yes);
    }

    [Fact]
    public void R5_a_promise_is_no_acceptance_and_an_acceptance_no_promise()
    {
        var preparing = Tick(Candidate(), At(0)).State;
        var asking = Asking(At(0));
        foreach (var voter in new[] { A, B, W })
        {
            preparing = Reply(preparing, Accepted(preparing, voter), At(10)).State;
            asking = Reply(asking, Promised(asking, voter), At(10)).State;
        }

        Assert.Equal(AttemptPhase.Prepare, preparing.Attempt!.Phase);
        Assert.Null(preparing.Held);
        Assert.Null(asking.Held);
    }

    [Fact]
    public void R5_strangers_and_the_candidate_itself_unasked_do_not_count()
    {
        var state = Asking(At(0));
        state = Reply(state, new LeaseReply.Accepted(new MemberId("x:1"), state.Attempt!.Ballot), At(10)).State;
        state = Reply(state, Accepted(state, W), At(11)).State;

        Assert.Null(state.Held);
    }

    [Fact]
    public void R6_an_acceptance_at_the_deadline_of_the_attempt_is_ignored()
    {
        var state = Tick(Holder(At(0)), At(600)).State;
        var renewal = state.Attempt!;
        state = state with { Held = state.Held! with { FenceAt = At(60_000), Deadline = At(60_300) } };
        state = Reply(state, Accepted(state, A), renewal.Deadline - TimeSpan.FromTicks(1)).State;

        var step = Reply(state, new LeaseReply.Accepted(B, renewal.Ballot), renewal.Deadline);

        Assert.Empty(step.Output.OfType<LeaseOutput.Renewed>());
        Assert.Equal(At(60_300), step.State.Held!.Deadline);
    }

    [Fact]
    public void R6_an_election_whose_lease_would_have_to_be_fenced_already_is_not_won()
    {
        var rules = Rules with { Settings = Settings with { Duration = TimeSpan.FromMilliseconds(400), FenceBudget = TimeSpan.FromMilliseconds(300) } };
        var state = LeaseMachine.Tick(Candidate(), rules, OnFirst, At(0)).State;
        foreach (var voter in new[] { A, B })
        {
            state = LeaseMachine.OnReply(state, rules, OnFirst, new LeaseReply.Promised(voter, state.Attempt!.Ballot), At(1)).State;
        }

        state = LeaseMachine.OnReply(state, rules, OnFirst, Accepted(state, A), At(99)).State;
        var step = LeaseMachine.OnReply(state, rules, OnFirst, Accepted(state, B), At(100));

        Assert.Null(step.State.Held);
        Assert.Empty(step.Output.OfType<LeaseOutput.Acquired>());
    }

    [Fact]
    public void R6_the_lease_is_given_up_by_its_fence_time_whatever_the_event()
    {
        var state = Holder(At(0));
        var fenceAt = state.Held!.FenceAt;
        Assert.NotNull(Tick(state, fenceAt - TimeSpan.FromTicks(1)).State.Held);

        foreach (var step in new[]
        {
            Tick(state, fenceAt),
            Tick(state, fenceAt, mayAsk: false),
            Reply(state, new LeaseReply.Released(A, default), fenceAt),
            Reply(state, new LeaseReply.Accepted(new MemberId("x:1"), default), fenceAt),
        })
        {
            Assert.Null(step.State.Held);
            Assert.True(step.State.IsYielding);
            Assert.IsType<LeaseOutput.Yielded>(step.Output[0]);
            Assert.Empty(Sends(step));
        }
    }

    [Fact]
    public void R9_starting_a_renewal_extends_nothing()
    {
        var state = Holder(At(0));

        Assert.Equal(state.Held, Tick(state, At(600)).State.Held);
    }

    [Fact]
    public void R9_a_refused_renewal_extends_nothing_releases_nothing_and_is_tried_again_soon()
    {
        var state = Tick(Holder(At(0)), At(600)).State;
        var held = state.Held;
        state = Reply(state, Refused(state, A), At(610)).State;

        var step = Reply(state, Refused(state, B), At(620));

        Assert.Empty(step.Output);
        Assert.Null(step.State.Attempt);
        Assert.Equal(held, step.State.Held);
        var again = Tick(step.State, At(620) + Settings.Retransmit);
        Assert.True(again.State.Attempt!.IsRenewal);
        Assert.Equal(held, again.State.Held);
    }

    [Fact]
    public void R9_a_renewal_that_got_no_answer_extends_nothing_and_releases_nothing()
    {
        var state = Holder(At(0));
        var held = state.Held!;
        var released = false;
        for (var at = Start; at < held.FenceAt; at += TimeSpan.FromMilliseconds(10))
        {
            var step = Tick(state, at);
            released |= Sends(step).Any(send => send.Request is LeaseRequest.Release);
            state = step.State;
            Assert.Equal(held, state.Held);
        }

        Assert.False(released);
        Assert.Null(Tick(state, held.FenceAt).State.Held);
    }

    [Fact]
    public void R11_renewals_keep_the_term()
    {
        var state = Holder(At(0));
        var term = state.Held!.Term;
        state = Tick(state, At(600)).State;
        state = Reply(state, Accepted(state, A), At(601)).State;
        state = Reply(state, Accepted(state, B), At(602)).State;

        Assert.Equal(term, state.Held!.Term);
        Assert.True(state.Held.Ballot.Round > term.Value);
    }

    [Fact]
    public void R11_rounds_begin_above_the_unix_time_in_milliseconds()
    {
        var state = Candidate() with { RoundFloor = 1_700_000_000_000, RoundFloorAt = At(0) };

        Assert.Equal(1_700_000_000_001, Tick(state, At(0)).State.Attempt!.Ballot.Round);
    }

    [Fact]
    public void R11_rounds_keep_up_with_the_unix_time_so_that_a_long_run_is_not_behind_those_that_began_later()
    {
        var state = Candidate() with { RoundFloor = 1_700_000_000_000, RoundFloorAt = At(0) };

        Assert.Equal(1_700_000_060_001, Tick(state, At(60_000)).State.Attempt!.Ballot.Round);
    }

    [Fact]
    public void R11_an_election_below_a_term_that_a_voter_has_on_its_disk_begins_anew_above_it()
    {
        var state = Tick(Candidate(), At(0)).State;
        state = Reply(state, Promised(state, A), At(1)).State;
        state = Reply(state, Refused(state, W, RefusalReason.Abstaining, Ballot.OfTerm(new Term(9000))), At(2)).State;
        Assert.Null(state.Attempt);

        Assert.Equal(9001, Tick(state, At(100)).State.Attempt!.Ballot.Round);
    }

    [Fact]
    public void A_back_off_stays_within_its_bounds()
    {
        var state = Candidate() with { Me = OwnerOf(B) };
        var now = At(0);
        for (var failures = 1; failures < 60; failures++)
        {
            state = Tick(state, now).State;
            Assert.NotNull(state.Attempt);
            state = Reply(state, Refused(state, A), now).State;
            state = Reply(state, Refused(state, W), now).State;

            var wait = state.NextElection - now - TimeSpan.FromMilliseconds(Three.RankOf(B));
            var scale = 2 * Math.Min(Math.Pow(2, failures), 4);
            Assert.InRange(wait, Settings.RoundTrip * (0.5 * scale), Settings.RoundTrip * scale);
            now = state.NextElection;
        }
    }

    [Fact]
    public void While_a_foreign_lease_is_live_the_candidate_waits_but_not_long()
    {
        var state = Tick(Candidate(), At(0)).State;
        foreach (var voter in new[] { A, B })
        {
            var refused = new LeaseReply.Refused(voter, state.Attempt!.Ballot, RefusalReason.ForeignLease, default, OwnerOf(B), TimeSpan.FromSeconds(3));
            state = Reply(state, refused, At(10)).State;
        }

        Assert.Equal(At(10) + Settings.RenewInterval / 4, state.NextElection);
        Assert.Equal(OwnerOf(B), state.LastHolder);
    }

    [Theory]
    [InlineData(RefusalReason.OldTimeline)]
    [InlineData(RefusalReason.OtherSystem)]
    [InlineData(RefusalReason.OtherMembership)]
    [InlineData(RefusalReason.NotAMember)]
    [InlineData(RefusalReason.DurationOutOfRange)]
    public void Who_is_refused_for_good_asks_seldom_so_as_not_to_spoil_the_elections_of_others(RefusalReason reason)
    {
        var state = Tick(Candidate(), At(0)).State;
        foreach (var voter in new[] { A, B })
        {
            state = Reply(state, Refused(state, voter, reason), At(10)).State;
        }

        Assert.Equal(At(10) + Settings.RenewInterval, state.NextElection);
    }

    [Fact]
    public void A_voter_that_must_ask_its_disk_first_is_not_counted_as_a_no()
    {
        var state = Asking(At(0));
        foreach (var voter in new[] { A, B, W })
        {
            state = Reply(state, Refused(state, voter, RefusalReason.TimelineBeingSaved), At(10)).State;
        }

        Assert.NotNull(state.Attempt);
        Assert.Empty(state.Attempt.No);
    }

    [Fact]
    public void A_voter_may_change_its_no_to_a_yes_but_not_back()
    {
        var state = Tick(Candidate(), At(0)).State;
        state = Reply(state, Refused(state, A, RefusalReason.Abstaining), At(1)).State;
        state = Reply(state, Promised(state, A), At(60)).State;
        state = Reply(state, Refused(state, A, RefusalReason.Abstaining), At(61)).State;

        Assert.Equal([A], state.Attempt!.Yes);
        Assert.Empty(state.Attempt.No);
    }

    [Fact]
    public void A_lease_seen_to_end_cuts_the_back_off_short()
    {
        var state = Candidate() with { NextElection = At(100), FailedElections = 3 };

        Assert.Equal(At(10), LeaseMachine.Wake(state, At(10)).NextElection);
        Assert.Equal(At(100), LeaseMachine.Wake(state, At(200)).NextElection);
    }

    [Fact]
    public void The_next_tick_is_due_at_whatever_comes_first()
    {
        var free = Candidate() with { NextElection = At(40) };
        Assert.Equal(At(40), LeaseMachine.NextTick(free, Rules, At(0)));

        var electing = Tick(Candidate(), At(0)).State;
        Assert.Equal(At(50), LeaseMachine.NextTick(electing, Rules, At(0)));

        var holder = Holder(At(0));
        Assert.Equal(At(0) + Settings.RenewInterval, LeaseMachine.NextTick(holder, Rules, At(0)));
        Assert.Equal(holder.Held!.FenceAt, LeaseMachine.NextTick(holder with { NextRenewal = Instant.Forever }, Rules, At(0)));

        var yielding = LeaseMachine.GiveUp(holder, "the test says so").State;
        Assert.Equal(Instant.Forever, LeaseMachine.NextTick(yielding, Rules, At(0)));
    }

    [Fact]
    public void An_election_that_nobody_wanted_hides_no_release_that_must_be_sent_again()
    {
        var idle = Candidate() with
        {
            NextElection = At(40),
            HighestSent = new Ballot(7, A, new Incarnation(1)),
            Releasing = new PendingRelease(new Ballot(7, A, new Incarnation(1)), Rules.Membership.Everyone, At(60), At(3060)),
        };

        Assert.Equal(At(60) + Settings.Retransmit, LeaseMachine.NextTick(idle, Rules, At(60)));
    }

    [Fact]
    public void A_membership_of_one_holds_by_its_own_vote()
    {
        var rules = new LeaseRules(new Membership("test", 1, [A]), Settings);
        var state = LeaseMachine.Tick(Candidate(), rules, OnFirst, At(0)).State;
        state = LeaseMachine.OnReply(state, rules, OnFirst, Promised(state, A), At(1)).State;
        state = LeaseMachine.OnReply(state, rules, OnFirst, Accepted(state, A), At(2)).State;

        Assert.NotNull(state.Held);
    }
}
