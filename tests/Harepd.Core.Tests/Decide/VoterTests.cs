using Harepd.Core.Decide;
using Harepd.Core.Model;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Decide;

/// <summary>The voter's rules one by one; the numbers are those of DESIGN section 4.</summary>
public sealed class VoterTests
{
    private static readonly TimeSpan Hold = Settings.HoldFor(Settings.Duration);

    private static LeaseReply.Refused Refusal(VoterStep step) => Assert.IsType<LeaseReply.Refused>(step.Reply);

    private static VoterState Accepted(Ballot ballot, Instant now)
    {
        var step = Ask(Voter(), Accept(ballot), now);
        Assert.IsType<LeaseReply.Accepted>(step.Reply);
        return step.State;
    }

    [Fact]
    public void A_free_voter_promises_and_remembers_the_ballot()
    {
        var step = Ask(Voter(), Prepare(BallotOf(5, A)), At(0));

        Assert.Equal(new LeaseReply.Promised(W, BallotOf(5, A)), step.Reply);
        Assert.Equal(BallotOf(5, A), step.State.Highest);
        Assert.Null(step.State.Lease);
    }

    [Fact]
    public void An_accepted_lease_is_held_for_A_from_the_moment_of_the_answer()
    {
        var step = Ask(Voter(), Accept(BallotOf(5, A)), At(100));

        Assert.Equal(new LeaseReply.Accepted(W, BallotOf(5, A)), step.Reply);
        Assert.Equal(new LeaseRecord(OwnerOf(A), BallotOf(5, A), At(100) + Hold), step.State.Lease);
        Assert.Equal(BallotOf(5, A), step.State.Highest);
    }

    [Fact]
    public void R2_a_live_lease_of_another_owner_is_never_replaced_however_high_the_ballot()
    {
        var held = Accepted(BallotOf(5, A), At(0));
        var lastMoment = At(0) + Hold - TimeSpan.FromTicks(1);

        var step = Ask(held, Accept(BallotOf(1_000_000, B)), lastMoment);

        var refused = Refusal(step);
        Assert.Equal(RefusalReason.ForeignLease, refused.Reason);
        Assert.Equal(OwnerOf(A), refused.Holder);
        Assert.Equal(TimeSpan.FromTicks(1), refused.Remaining);
        Assert.Equal(held, step.State);
    }

    [Fact]
    public void R2_the_lease_is_over_at_its_expiry_to_the_tick()
    {
        var held = Accepted(BallotOf(5, A), At(0));

        Assert.IsType<LeaseReply.Accepted>(Ask(held, Accept(BallotOf(6, B)), At(0) + Hold).Reply);
    }

    [Fact]
    public void R2_another_run_of_the_same_member_is_another_owner()
    {
        var held = Accepted(BallotOf(5, A, 1), At(0));

        Assert.Equal(RefusalReason.ForeignLease, Refusal(Ask(held, Accept(BallotOf(6, A, 2)), At(10))).Reason);
        Assert.Equal(RefusalReason.ForeignLease, Refusal(Ask(held, Prepare(BallotOf(6, A, 2)), At(10))).Reason);
    }

    [Fact]
    public void R2_a_prepare_while_a_foreign_lease_is_live_is_refused_and_leaves_the_promise_unchanged()
    {
        var held = Accepted(BallotOf(5, A), At(0));

        var step = Ask(held, Prepare(BallotOf(900, B)), At(10));

        Assert.Equal(RefusalReason.ForeignLease, Refusal(step).Reason);
        Assert.Equal(held, step.State);
        Assert.IsType<LeaseReply.Accepted>(Ask(step.State, Accept(BallotOf(6, A)), At(20)).Reply);
    }

    [Fact]
    public void R2_ballots_below_the_highest_seen_are_refused_and_the_refusal_names_it()
    {
        var promised = Ask(Voter(), Prepare(BallotOf(9, B)), At(0)).State;

        foreach (LeaseRequest request in new LeaseRequest[] { Prepare(BallotOf(8, A)), Accept(BallotOf(8, A)) })
        {
            var step = Ask(promised, request, At(10));
            Assert.Equal(RefusalReason.BallotTooLow, Refusal(step).Reason);
            Assert.Equal(BallotOf(9, B), Refusal(step).Highest);
            Assert.Equal(promised, step.State);
        }
    }

    [Fact]
    public void R2_a_voter_never_goes_below_the_ballot_of_its_live_record()
    {
        // The promise alone would let the lower ballot in; the record is a floor of its own.
        var held = Accepted(BallotOf(9, A), At(0)) with { Highest = BallotOf(1, A) };

        var step = Ask(held, Accept(BallotOf(8, A)), At(10));

        Assert.Equal(RefusalReason.BallotTooLow, Refusal(step).Reason);
        Assert.Equal(held, step.State);
    }

    [Fact]
    public void A_renewal_of_the_same_owner_prolongs_the_record()
    {
        var held = Accepted(BallotOf(5, A), At(0));

        var step = Ask(held, Accept(BallotOf(6, A)), At(500));

        Assert.Equal(new LeaseRecord(OwnerOf(A), BallotOf(6, A), At(500) + Hold), step.State.Lease);
    }

    [Fact]
    public void A_request_that_arrives_twice_is_answered_twice_alike()
    {
        var first = Ask(Voter(), Prepare(BallotOf(5, A)), At(0));
        var second = Ask(first.State, Prepare(BallotOf(5, A)), At(10));
        Assert.Equal(first.Reply, second.Reply);

        var accepted = Ask(second.State, Accept(BallotOf(5, A)), At(20));
        Assert.Equal(accepted.Reply, Ask(accepted.State, Accept(BallotOf(5, A)), At(30)).Reply);
    }

    [Fact]
    public void R3_my_own_live_lease_is_free_whatever_its_ballot()
    {
        var held = Accepted(BallotOf(5, A), At(0));

        Assert.IsType<LeaseReply.Promised>(Ask(held, Prepare(BallotOf(6, A)), At(10)).Reply);
    }

    [Fact]
    public void R4_a_release_frees_the_lease_at_once()
    {
        var held = Accepted(BallotOf(5, A), At(0));

        var step = Ask(held, Release(BallotOf(5, A)), At(10));

        Assert.True(step.Frees);
        Assert.Null(step.State.Lease);
        Assert.Equal(new LeaseReply.Released(W, BallotOf(5, A)), step.Reply);
        Assert.IsType<LeaseReply.Accepted>(Ask(step.State, Accept(BallotOf(6, B)), At(11)).Reply);
    }

    [Fact]
    public void R4_a_release_frees_every_ballot_of_the_owner_up_to_the_one_it_names() =>
        Assert.True(Ask(Accepted(BallotOf(5, A), At(0)), Release(BallotOf(9, A)), At(10)).Frees);

    [Fact]
    public void R4_a_release_of_an_older_ballot_leaves_the_newer_lease()
    {
        var held = Accepted(BallotOf(9, A), At(0));

        var step = Ask(held, Release(BallotOf(8, A)), At(10));

        Assert.False(step.Frees);
        Assert.Equal(held.Lease, step.State.Lease);
    }

    [Fact]
    public void R4_a_release_leaves_the_lease_of_another_owner()
    {
        var held = Accepted(BallotOf(5, A, 1), At(0));

        Assert.Equal(held.Lease, Ask(held, Release(BallotOf(9, B)), At(10)).State.Lease);
        Assert.Equal(held.Lease, Ask(held, Release(BallotOf(9, A, 2)), At(10)).State.Lease);
    }

    [Fact]
    public void R4_an_accept_that_comes_after_its_release_is_refused()
    {
        var released = Ask(Voter(), Release(BallotOf(5, A)), At(0)).State;

        Assert.Equal(RefusalReason.BallotReleased, Refusal(Ask(released, Accept(BallotOf(5, A)), At(10))).Reason);
        Assert.Equal(RefusalReason.BallotReleased, Refusal(Ask(released, Accept(BallotOf(4, A)), At(10))).Reason);
        Assert.Equal(BallotOf(5, A), Refusal(Ask(released, Prepare(BallotOf(4, A)), At(10))).Highest);
        Assert.IsType<LeaseReply.Accepted>(Ask(released, Accept(BallotOf(6, A)), At(10)).Reply);
        Assert.IsType<LeaseReply.Accepted>(Ask(released, Accept(BallotOf(1, B)), At(10)).Reply);
    }

    [Fact]
    public void R4_a_late_release_does_not_lower_what_was_released()
    {
        var released = Ask(Ask(Voter(), Release(BallotOf(7, A)), At(0)).State, Release(BallotOf(3, A)), At(10)).State;

        Assert.Equal(RefusalReason.BallotReleased, Refusal(Ask(released, Accept(BallotOf(7, A)), At(20))).Reason);
    }

    [Fact]
    public void R7_an_abstaining_voter_neither_promises_nor_accepts_until_the_very_end()
    {
        var silent = Voter() with { AbstainUntil = At(100) };
        var lastMoment = At(100) - TimeSpan.FromTicks(1);

        foreach (LeaseRequest request in new LeaseRequest[] { Prepare(BallotOf(5, A)), Accept(BallotOf(5, A)) })
        {
            var step = Ask(silent, request, lastMoment);
            Assert.Equal(RefusalReason.Abstaining, Refusal(step).Reason);
            Assert.Equal(TimeSpan.FromTicks(1), Refusal(step).Remaining);
            Assert.Equal(silent, step.State);
            Assert.IsNotType<LeaseReply.Refused>(Ask(silent, request, At(100)).Reply);
        }
    }

    [Fact]
    public void R7_an_abstaining_voter_notes_releases()
    {
        var silent = Voter() with { AbstainUntil = At(100) };

        var step = Ask(silent, Release(BallotOf(5, A)), At(0));

        Assert.IsType<LeaseReply.Released>(step.Reply);
        Assert.Equal(RefusalReason.BallotReleased, Refusal(Ask(step.State, Accept(BallotOf(5, A)), At(100))).Reason);
    }

    [Fact]
    public void R7_durations_over_the_cap_or_not_above_zero_are_refused()
    {
        foreach (var duration in new[] { Settings.MaxDuration + TimeSpan.FromTicks(1), TimeSpan.MaxValue, TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.MinValue })
        {
            var step = Ask(Voter(), Accept(BallotOf(5, A), duration), At(0));
            Assert.Equal(RefusalReason.DurationOutOfRange, Refusal(step).Reason);
            Assert.Equal(Voter(), step.State);
        }
    }

    [Fact]
    public void R8_a_shorter_renewal_never_shortens_what_was_granted()
    {
        // The holder counts on the later of two deadlines; its duration may have been changed over a restart that resumed.
        var held = Accepted(BallotOf(5, A), At(0));

        var step = Ask(held, Accept(BallotOf(6, A), TimeSpan.FromSeconds(1)), At(500));

        Assert.IsType<LeaseReply.Accepted>(step.Reply);
        Assert.Equal(At(0) + Hold, step.State.Lease!.Expiry);
        Assert.Equal(BallotOf(6, A), step.State.Lease.Ballot);
    }

    [Theory]
    [InlineData("test", 2)]
    [InlineData("other", 1)]
    public void R10_other_epochs_and_other_clusters_get_no_vote(string cluster, long epoch)
    {
        var stamp = new Membership(cluster, epoch, [A, B, W]).Stamp;

        foreach (LeaseRequest request in new LeaseRequest[]
        {
            Prepare(BallotOf(5, A)) with { Stamp = stamp },
            Accept(BallotOf(5, A)) with { Stamp = stamp },
            Release(BallotOf(5, A)) with { Stamp = stamp },
        })
        {
            var step = Ask(Voter(), request, At(0));
            Assert.Equal(RefusalReason.OtherMembership, Refusal(step).Reason);
            Assert.Equal(Voter(), step.State);
        }
    }

    [Fact]
    public void R10_a_set_that_differs_by_one_member_gets_no_vote()
    {
        var stamp = new Membership("test", 1, [A, B, new MemberId("x:1")]).Stamp;

        Assert.Equal(RefusalReason.OtherMembership, Refusal(Ask(Voter(), Accept(BallotOf(5, A)) with { Stamp = stamp }, At(0))).Reason);
    }

    [Fact]
    public void R10_a_stranger_under_the_right_stamp_gets_no_vote()
    {
        var stranger = BallotOf(5, new MemberId("x:1"));

        Assert.Equal(RefusalReason.NotAMember, Refusal(Ask(Voter(), Prepare(stranger), At(0))).Reason);
        Assert.Equal(RefusalReason.NotAMember, Refusal(Ask(Voter(), Accept(stranger), At(0))).Reason);
        var released = Ask(Voter(), Release(stranger), At(0));
        Assert.Equal(RefusalReason.NotAMember, Refusal(released).Reason);
        Assert.Equal(Voter(), released.State);
    }

    [Fact]
    public void Timelines_a_new_one_is_made_durable_before_a_yes_leaves()
    {
        var step = Ask(Voter(), Accept(BallotOf(5, A), timeline: Second), At(0));

        Assert.Equal(RefusalReason.TimelineBeingSaved, Refusal(step).Reason);
        Assert.Equal(new DurableTimeline(OneSystem, Second), step.MakeDurable);
        Assert.Equal(Voter(), step.State);

        var saved = step.State with { Timeline = step.MakeDurable!.Value };
        var again = Ask(saved, Accept(BallotOf(5, A), timeline: Second), At(10));
        Assert.IsType<LeaseReply.Accepted>(again.Reply);
        Assert.Null(again.MakeDurable);
    }

    [Fact]
    public void Timelines_below_the_highest_of_any_holder_get_no_vote()
    {
        var voter = Voter() with { Timeline = new DurableTimeline(OneSystem, Second) };

        var step = Ask(voter, Accept(BallotOf(5, A), timeline: First), At(0));

        Assert.Equal(RefusalReason.OldTimeline, Refusal(step).Reason);
        Assert.Null(step.MakeDurable);
        Assert.Equal(voter, step.State);
    }

    [Fact]
    public void Timelines_of_one_number_that_branched_elsewhere_get_no_vote()
    {
        var voter = Voter() with { Timeline = new DurableTimeline(OneSystem, Second) };

        foreach (var lsn in new ulong[] { 0, Second.SwitchLsn.Value - 1, Second.SwitchLsn.Value + 1 })
        {
            var step = Ask(voter, Accept(BallotOf(5, A), timeline: new TimelinePoint(2, new Lsn(lsn))), At(0));
            Assert.Equal(RefusalReason.OldTimeline, Refusal(step).Reason);
        }
    }

    [Fact]
    public void Timelines_that_are_unknown_get_no_vote() =>
        Assert.Equal(RefusalReason.OldTimeline, Refusal(Ask(Voter(), Accept(BallotOf(5, A), timeline: default(TimelinePoint)), At(0))).Reason);

    [Fact]
    public void Systems_that_are_unknown_or_another_cluster_s_get_no_vote()
    {
        Assert.Equal(RefusalReason.OtherSystem, Refusal(Ask(Voter(), Accept(BallotOf(5, A), system: new SystemId(9)), At(0))).Reason);
        Assert.Equal(RefusalReason.OtherSystem, Refusal(Ask(Voter(), Accept(BallotOf(5, A), system: default(SystemId)), At(0))).Reason);
        Assert.Equal(RefusalReason.OtherSystem, Refusal(Ask(new VoterState(), Accept(BallotOf(5, A), system: default(SystemId)), At(0))).Reason);
    }

    [Fact]
    public void A_voter_without_a_timeline_learns_the_first_it_is_asked_for()
    {
        var step = Ask(new VoterState(), Accept(BallotOf(5, A)), At(0));

        Assert.Equal(new DurableTimeline(OneSystem, First), step.MakeDurable);
    }

    [Fact]
    public void A_refused_accept_writes_no_timeline()
    {
        var held = Accepted(BallotOf(5, A), At(0));

        Assert.Null(Ask(held, Accept(BallotOf(6, B), timeline: Second), At(10)).MakeDurable);
        Assert.Null(Ask(held with { AbstainUntil = At(100) }, Accept(BallotOf(6, A), timeline: Second), At(10)).MakeDurable);
    }

    [Fact]
    public void The_memory_of_releases_is_bounded_by_the_membership()
    {
        var voter = Voter();
        for (var round = 1; round < 100; round++)
        {
            foreach (var member in new[] { A, B, W, new MemberId($"x:{round}") })
            {
                voter = Ask(voter, Release(BallotOf(round, member)), At(0)).State;
            }
        }

        Assert.Equal(3, voter.Released.Count);
    }

    [Fact]
    public void What_a_holder_waits_for_is_noted_with_its_ballot_and_told_to_whoever_is_promised()
    {
        var stated = new Synchrony(1, ["b"]);
        var noted = Ask(Voter(), Accept(BallotOf(5, A)) with { Stated = stated }, At(0)).State;
        var released = Ask(noted, Release(BallotOf(5, A)), At(10)).State;

        var promised = Assert.IsType<LeaseReply.Promised>(Ask(released, Prepare(BallotOf(6, B)), At(20)).Reply);

        Assert.Null(released.Lease);
        Assert.Equal(new SynchronyNote(BallotOf(5, A), OneSystem, First, stated), promised.Note);
        Assert.Null(Assert.IsType<LeaseReply.Promised>(Ask(Voter(), Prepare(BallotOf(6, B)), At(20)).Reply).Note);
    }

    [Fact]
    public void A_holder_that_does_not_say_makes_the_note_unknown()
    {
        var noted = Ask(Voter(), Accept(BallotOf(5, A)) with { Stated = new Synchrony(1, ["b"]) }, At(0)).State;

        Assert.Equal(new SynchronyNote(BallotOf(6, A), OneSystem, First, null), Ask(noted, Accept(BallotOf(6, A)), At(10)).State.Note);
    }

    [Fact]
    public void A_refused_accept_leaves_the_note_as_it_was()
    {
        var noted = Ask(Voter(), Accept(BallotOf(5, A)) with { Stated = new Synchrony(1, ["b"]) }, At(0)).State;

        Assert.Same(noted.Note, Ask(noted, Accept(BallotOf(4, A)) with { Stated = Synchrony.None }, At(10)).State.Note);
    }
}
