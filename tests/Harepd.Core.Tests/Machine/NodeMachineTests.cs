using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Machine;

/// <summary>What the node machine owes beyond its parts: order, arming, releasing, resuming. Whole stories are in the transcripts.</summary>
public sealed class NodeMachineTests
{
    private static readonly NodeSettings Node = new() { Self = A, Membership = Three, NodeName = "a" };
    private static readonly NodeStart Fresh = new() { Incarnation = new Incarnation(1), UnixMillis = 1000, GateOnDisk = Gate.Fenced, IsTimelineTrusted = true };

    private static NodeStep Step(NodeState state, Input input, Instant now) => NodeMachine.Step(state, Node, input, now);

    private static NodeState After(NodeState state, Instant now, params Input[] inputs) =>
        inputs.Aggregate(state, (next, input) => Step(next, input, now).State);

    private static Input.GateApplied Done(NodeState state) => new(state.Gate.Sequence, state.Gate.Asked!.Value, IsConfirmed: true, "done");

    /// <summary>A data node that is shut, fit and in the middle of an election that W has accepted; one more yes wins.</summary>
    private static NodeState AboutToWin(Instant now)
    {
        var state = NodeMachine.Create(Node, Fresh, now);
        state = After(state, now, new Input.Tick(), new Input.Observed(Standby(now)));
        state = After(state, now, Done(state), new Input.Observed(Primary(now)));
        if (state.Gate.IsPending)
        {
            state = After(state, now, Done(state));
        }

        var ballot = state.Lease!.Attempt!.Ballot;
        return After(
            state,
            now,
            new Input.VoteAnswered(new LeaseReply.Promised(A, ballot)),
            new Input.VoteAnswered(new LeaseReply.Promised(W, ballot)),
            new Input.VoteAnswered(new LeaseReply.Accepted(W, ballot)));
    }

    private static Input.VoteAnswered LastYes(NodeState state) => new(new LeaseReply.Accepted(A, state.Lease!.Attempt!.Ballot));

    private static NodeState Holder(Instant now)
    {
        var state = AboutToWin(now);
        state = After(state, now, LastYes(state));
        Assert.NotNull(state.Lease!.Held);
        return After(state, now, Done(state));
    }

    private static NodeStart Resumed(NodeState state) => Fresh with { Voter = state.Voter, Lease = state.Lease, GateOnDisk = Gate.ReadWrite };

    /// <summary>The order is a contract: closes, saves, sends, opens, records.</summary>
    private static int PlaceOf(Effect effect) => effect switch
    {
        Effect.ArmWatchdog or Effect.CloseGate or Effect.EngageHold => 0,
        Effect.Steer { Route: { Write: false, Read: false } } => 0,
        Effect.SaveMemory or Effect.SaveTimeline => 1,
        Effect.Ask or Effect.Answer or Effect.Tell or Effect.SetPace or Effect.Look or Effect.GetReady => 2,
        Effect.OpenGate or Effect.VerifyGate or Effect.Steer or Effect.Promote or Effect.Follow or Effect.ReleaseHold => 3,
        _ => 4,
    };

    [Fact]
    public void The_first_tick_is_due_at_once() =>
        Assert.True(NodeMachine.NextTick(NodeMachine.Create(Node, Fresh, At(0)), Node) <= At(0));

    [Fact]
    public void Where_the_guard_is_required_a_holder_without_it_shuts_and_gives_up()
    {
        var strict = Node with { RequiresGuard = true };
        var state = NodeMachine.Step(Holder(At(0)), strict, new Input.GuardSeen(true), At(1)).State;
        Assert.NotNull(state.Lease!.Held);

        var step = NodeMachine.Step(state, strict, new Input.GuardSeen(false), At(2));

        Assert.Null(step.State.Lease!.Held);
        Assert.Contains(step.Effects, effect => effect is Effect.CloseGate { To: Gate.Fenced });
    }

    [Fact]
    public void Where_the_guard_is_required_nothing_is_asked_for_before_it_looks()
    {
        var strict = Node with { RequiresGuard = true };
        var state = NodeMachine.Create(strict, Fresh, At(0));
        foreach (var input in new Input[] { new Input.Tick(), new Input.Observed(Standby(At(0))) })
        {
            state = NodeMachine.Step(state, strict, input, At(0)).State;
        }

        state = NodeMachine.Step(state, strict, Done(state), At(0)).State;
        var primary = NodeMachine.Step(state, strict, new Input.Observed(Primary(At(1))), At(1));
        Assert.DoesNotContain(primary.Effects, effect => effect is Effect.Ask);

        var seen = NodeMachine.Step(primary.State, strict, new Input.GuardSeen(true), At(2));
        Assert.Contains(seen.Effects, effect => effect is Effect.Ask);
    }

    [Fact]
    public void A_resumed_lease_is_not_given_up_before_the_first_word_of_the_guard()
    {
        var strict = Node with { RequiresGuard = true };
        var state = NodeMachine.Create(strict, Resumed(Holder(At(0))), At(10));

        state = NodeMachine.Step(state, strict, new Input.Tick(), At(11)).State;

        Assert.NotNull(state.Lease!.Held);
    }

    [Fact]
    public void Without_the_key_a_missing_guard_changes_nothing() =>
        Assert.NotNull(Step(Holder(At(0)), new Input.GuardSeen(false), At(1)).State.Lease!.Held);

    [Fact]
    public void The_watchdog_is_armed_before_anything_opens()
    {
        var state = AboutToWin(At(0));

        var step = Step(state, LastYes(state), At(10));

        var arm = Assert.IsType<Effect.ArmWatchdog>(step.Effects[0]);
        Assert.Equal((step.State.Lease!.Held!.FenceAt, step.State.Lease.Held.Deadline), (arm.FenceAt, arm.Deadline));
        Assert.Contains(step.Effects, effect => effect is Effect.OpenGate { To: Gate.ReadWrite } open && open.NotAfter == arm.FenceAt);
        Assert.Equal(step.Effects.Select(PlaceOf).Order(), step.Effects.Select(PlaceOf));
    }

    [Fact]
    public void A_resumed_holder_arms_its_watchdog_and_renews_before_the_first_look_at_its_server()
    {
        var start = Resumed(Holder(At(0)));

        var step = Step(NodeMachine.Create(Node, start, At(700)), new Input.Tick(), At(700));

        Assert.NotNull(step.State.Lease!.Held);
        Assert.Contains(step.Effects, effect => effect is Effect.ArmWatchdog arm && arm.Deadline == start.Lease!.Held!.Deadline);
        Assert.Contains(step.Effects, effect => effect is Effect.Ask { Request: LeaseRequest.Accept });
        Assert.DoesNotContain(step.Effects, effect => effect is Effect.CloseGate or Effect.Steer);
    }

    [Fact]
    public void A_resumed_holder_whose_time_is_over_shuts_its_gate_in_the_first_step()
    {
        var start = Resumed(Holder(At(0)));
        var late = start.Lease!.Held!.FenceAt;

        var step = Step(NodeMachine.Create(Node, start, late), new Input.Tick(), late);

        Assert.Null(step.State.Lease!.Held);
        Assert.IsType<Effect.CloseGate>(step.Effects[0]);
    }

    [Fact]
    public void A_resumed_holder_stamps_nothing_with_a_term_below_its_own()
    {
        var start = Resumed(Holder(At(0)));

        var state = NodeMachine.Create(Node, start, At(100));

        Assert.Equal(start.Lease!.Held!.Term, state.HighestTerm);
    }

    [Fact]
    public void A_lease_that_is_given_up_before_the_gate_was_opened_is_released_at_once()
    {
        // The last yes comes when the server has not been seen for too long: won and given up in one step.
        var state = AboutToWin(At(0));
        var settings = Node with { Freshness = TimeSpan.FromMilliseconds(100) };

        var step = NodeMachine.Step(state, settings, LastYes(state), At(200));

        Assert.Null(step.State.Lease!.Held);
        Assert.False(step.State.Lease.IsYielding);
        Assert.Contains(step.Effects, effect => effect is Effect.Ask { Request: LeaseRequest.Release });
        Assert.DoesNotContain(step.Effects, effect => effect is Effect.OpenGate { To: Gate.ReadWrite });
    }

    [Fact]
    public void Nothing_is_released_while_the_gate_is_being_opened()
    {
        var state = AboutToWin(At(0));
        state = After(state, At(10), LastYes(state));

        var step = Step(state, new Input.PostmasterDied("test"), At(20));

        Assert.True(step.State.Lease!.IsYielding);
        Assert.Contains(step.Effects, effect => effect is Effect.CloseGate { MayStop: true });
        Assert.DoesNotContain(step.Effects, effect => effect is Effect.Ask);
        var stale = Step(step.State, new Input.GateApplied(state.Gate.Sequence, Gate.Fenced, IsConfirmed: true, "the answer to the opening"), At(30));
        Assert.True(stale.State.Lease!.IsYielding);
        Assert.DoesNotContain(stale.Effects, effect => effect is Effect.Ask);
        Assert.Contains(Step(stale.State, Done(stale.State), At(40)).Effects, effect => effect is Effect.Ask { Request: LeaseRequest.Release });
    }

    [Fact]
    public void The_memory_is_saved_before_a_vote_leaves()
    {
        var state = After(NodeMachine.Create(Node, Fresh with { Voter = Voter() }, At(0)), At(0), new Input.Tick());

        var step = Step(state, new Input.VoteAsked(7, Prepare(BallotOf(9, B))), At(1));

        var save = step.Effects.ToList().FindIndex(effect => effect is Effect.SaveMemory { Voter.Highest.Round: 9 });
        var answer = step.Effects.ToList().FindIndex(effect => effect is Effect.Answer { RequestId: 7, Reply: LeaseReply.Promised });
        Assert.InRange(save, 0, answer - 1);
    }

    [Fact]
    public void A_gate_that_the_watchdog_moved_is_no_longer_believed()
    {
        var state = Holder(At(0));
        var old = state.Lease!.Held!.Term;
        state = state with { Lease = state.Lease with { Held = state.Lease.Held with { Term = new Term(old.Value + 5) } } };

        var step = Step(state, new Input.WatchdogFired(old), At(10));

        Assert.NotNull(step.State.Lease!.Held);
        Assert.Contains(step.Effects, effect => effect is Effect.OpenGate);
        Assert.Contains(step.Effects, effect => effect is Effect.Steer { Route: { Write: false } });
    }

    [Fact]
    public void Its_own_release_does_not_wake_a_candidate_from_its_back_off()
    {
        var state = AboutToWin(At(0));
        var ballot = state.Lease!.Attempt!.Ballot;
        state = state with { Voter = state.Voter! with { Lease = new LeaseRecord(ballot.Owner, ballot, At(3000)) } };
        state = After(
            state,
            At(1),
            new Input.VoteAnswered(new LeaseReply.Refused(B, ballot, RefusalReason.ForeignLease, default, null, TimeSpan.Zero)),
            new Input.VoteAnswered(new LeaseReply.Refused(A, ballot, RefusalReason.ForeignLease, default, null, TimeSpan.Zero)));
        Assert.Null(state.Lease!.Attempt);
        var next = state.Lease.NextElection;

        state = After(state, At(1), new Input.VoteAsked(-1, Release(ballot)));

        Assert.Null(state.Voter!.Lease);
        Assert.Equal(next, state.Lease!.NextElection);
        Assert.Null(state.Lease.Attempt);
    }

    [Fact]
    public void A_foreign_release_wakes_a_candidate_at_once()
    {
        var state = NodeMachine.Create(Node, Fresh with { Voter = Voter() with { Lease = new LeaseRecord(OwnerOf(B), BallotOf(9, B), At(3000)) } }, At(0));
        state = state with { Lease = state.Lease! with { NextElection = At(5000) } };

        Assert.Equal(At(10), After(state, At(10), new Input.VoteAsked(1, Release(BallotOf(9, B)))).Lease!.NextElection);
    }

    [Fact]
    public void A_witness_asks_for_nothing_and_opens_nothing()
    {
        var settings = Node with { Self = W, IsWitness = true, HasCandidate = false };
        var state = NodeMachine.Create(settings, Fresh, At(0));
        var effects = new List<Effect>();
        for (var at = 0; at < 10_000; at += 100)
        {
            var step = NodeMachine.Step(state, settings, new Input.Tick(), At(at));
            effects.AddRange(step.Effects);
            state = step.State;
        }

        Assert.All(effects, effect => Assert.IsType<Effect.Tell>(effect));
    }

    [Fact]
    public void Votes_that_wait_for_the_disk_are_bounded_and_answered_when_it_has_written()
    {
        var state = After(NodeMachine.Create(Node, Fresh with { Voter = Voter(), Timeline = new DurableTimeline(OneSystem, First) }, At(0)), At(0), new Input.Tick());
        var answered = 0;
        for (var i = 0; i < 100; i++)
        {
            var step = Step(state, new Input.VoteAsked(i, Accept(BallotOf(9, B), timeline: Second)), At(i));
            Assert.Equal(i == 0 ? 1 : 0, step.Effects.Count(effect => effect is Effect.SaveTimeline));
            answered += step.Effects.Count(effect => effect is Effect.Answer);
            state = step.State;
        }

        Assert.Equal(100 - NodeState.MaxWaitingVotes, answered);
        var saved = Step(state, new Input.TimelineSaved(new DurableTimeline(OneSystem, Second)), At(200));
        Assert.Equal(NodeState.MaxWaitingVotes, saved.Effects.Count(effect => effect is Effect.Answer { Reply: LeaseReply.Accepted }));
        Assert.Empty(saved.State.WaitingVotes);
    }

    private static NodeState Saving(TimelinePoint timeline)
    {
        var start = Fresh with { Voter = Voter(), Timeline = new DurableTimeline(OneSystem, First) };
        return After(NodeMachine.Create(Node, start, At(0)), At(0), new Input.VoteAsked(1, Accept(BallotOf(8, W), timeline: timeline)));
    }

    [Fact]
    public void No_lease_is_given_on_another_timeline_while_one_is_being_saved()
    {
        // Its holder could not renew: a moment later the other one is the highest known.
        var step = Step(Saving(Second), new Input.VoteAsked(2, Accept(BallotOf(9, B))), At(1));

        Assert.Contains(step.Effects, effect => effect is Effect.Answer { RequestId: 2, Reply: LeaseReply.Refused { Reason: RefusalReason.TimelineBeingSaved } });
        Assert.Null(step.State.Voter!.Lease);
    }

    [Fact]
    public void A_disk_that_refuses_holds_up_no_vote_for_ever()
    {
        var saving = Saving(Second);

        var step = Step(saving, new Input.TimelineNotSaved(saving.SavingTimeline!.Value, "no space left"), At(1));

        Assert.Contains(step.Effects, effect => effect is Effect.Answer { RequestId: 1, Reply: LeaseReply.Refused { Reason: RefusalReason.TimelineBeingSaved } });
        Assert.Equal(First, step.State.Voter!.Timeline.Point);
        var again = Step(step.State, new Input.VoteAsked(3, Accept(BallotOf(8, W), timeline: Second)), At(2));
        Assert.Contains(again.Effects, effect => effect is Effect.SaveTimeline);
        Assert.Contains(
            Step(step.State, new Input.VoteAsked(4, Accept(BallotOf(9, B))), At(2)).Effects,
            effect => effect is Effect.Answer { Reply: LeaseReply.Accepted });
    }

    [Theory]
    [InlineData(RefusalReason.ForeignLease, true)]
    [InlineData(RefusalReason.OldTimeline, true)]
    [InlineData(RefusalReason.OtherSystem, true)]
    [InlineData(RefusalReason.Abstaining, false)]
    [InlineData(RefusalReason.BallotTooLow, false)]
    public void A_writable_server_is_a_rogue_only_when_the_writes_belong_elsewhere(RefusalReason reason, bool isRogue)
    {
        var state = AboutToWin(At(0));
        var ballot = state.Lease!.Attempt!.Ballot;

        var step = Step(state, new Input.VoteAnswered(new LeaseReply.Refused(B, ballot, reason, default, null, TimeSpan.Zero)), At(1));

        Assert.Equal(isRogue, step.State.IsRogue);
    }

    [Fact]
    public void A_reading_begun_before_a_death_that_was_seen_does_not_count()
    {
        var state = Step(Holder(At(0)), new Input.PostmasterDied("test"), At(10)).State;

        Assert.Equal(ServerHealth.Down, Step(state, new Input.Observed(Primary(At(9))), At(20)).State.Server.Health);
        Assert.Equal(ServerHealth.Running, Step(state, new Input.Observed(Primary(At(11))), At(20)).State.Server.Health);
    }

    [Fact]
    public void The_next_ballot_is_above_every_term_that_was_told()
    {
        var state = After(NodeMachine.Create(Node, Fresh, At(0)), At(0), new Input.Observed(Standby(At(0))), new Input.Heard([Report(B, 1, heldTerm: new Term(9_000_000))]));
        state = After(state, At(0), Done(state), new Input.Observed(Primary(At(0))));

        Assert.True(state.Lease!.Attempt!.Ballot.Round > 9_000_000);
    }

    [Fact]
    public void A_voter_without_memory_tells_the_term_on_its_disk()
    {
        var state = NodeMachine.Create(Node, Fresh with { TermOnDisk = new Term(9_000_000) }, At(0));

        var step = Step(state, new Input.VoteAsked(1, Prepare(BallotOf(5, B))), At(1));

        Assert.Contains(step.Effects, effect => effect is Effect.Answer { Reply: LeaseReply.Refused { Reason: RefusalReason.Abstaining, Highest.Round: 9_000_000 } });
    }

    [Fact]
    public void A_server_on_another_timeline_loses_the_lease_of_the_old_one()
    {
        var step = Step(Holder(At(0)), new Input.Observed(Primary(At(10), Second)), At(10));

        Assert.Null(step.State.Lease!.Held);
        Assert.Contains(step.Effects, effect => effect is Effect.CloseGate { To: Gate.Fenced });
    }

    [Fact]
    public void A_stop_is_done_only_when_the_gate_is_shut_and_the_release_noted_by_the_own_voter_and_a_majority()
    {
        var stopping = Step(Holder(At(0)), new Input.Stop("test"), At(10)).State;
        Assert.False(NodeMachine.IsStopped(stopping, Node));

        var shut = After(stopping, At(20), Done(stopping));
        Assert.False(NodeMachine.IsStopped(shut, Node));

        // The others noted it, the own voter did not: the next run of this node would wait for a lease that nobody holds.
        Assert.False(NodeMachine.IsStopped(After(shut, At(21), Released(shut, B), Released(shut, W)), Node));
        Assert.False(NodeMachine.IsStopped(After(shut, At(21), Released(shut, A)), Node));
        Assert.True(NodeMachine.IsStopped(After(shut, At(21), Released(shut, A), Released(shut, W)), Node));
    }

    [Fact]
    public void A_stop_does_not_wait_for_voters_that_do_not_answer()
    {
        var stopping = Step(Holder(At(0)), new Input.Stop("test"), At(10)).State;
        var shut = After(stopping, At(20), Done(stopping), new Input.VoteAsked(-1, new LeaseRequest.Release(Three.Stamp, stopping.Lease!.HighestSent)));

        var waited = At(20) + Node.Lease.ElectionTimeout;
        Assert.False(NodeMachine.IsStopped(After(shut, waited - TimeSpan.FromMilliseconds(1), new Input.Tick()), Node));
        Assert.True(NodeMachine.IsStopped(After(shut, waited, new Input.Tick()), Node));
    }

    [Fact]
    public void A_candidate_asks_above_what_its_own_voter_has_heard()
    {
        var other = new Ballot(9_000, B, new Incarnation(3));
        var state = NodeMachine.Create(Node, Fresh with { Voter = new VoterState() }, At(0));
        state = After(state, At(0), new Input.Tick(), new Input.VoteAsked(1, new LeaseRequest.Prepare(Three.Stamp, other)), new Input.Observed(Standby(At(0))));

        var asked = Step(After(state, At(1), Done(state)), new Input.Observed(Primary(At(2))), At(2)).Effects.OfType<Effect.Ask>();

        Assert.All(asked, ask => Assert.True(ask.Request.Ballot > other, ask.ToString()));
        Assert.NotEmpty(asked);
    }

    private static Input.VoteAnswered Released(NodeState state, MemberId voter) => new(new LeaseReply.Released(voter, state.Lease!.HighestSent));
}
