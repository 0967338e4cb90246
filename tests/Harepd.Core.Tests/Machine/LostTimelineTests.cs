using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Machine;

/// <summary>A voter whose disk was lost hears all others before it accepts anybody (DESIGN section 4, "Timelines").</summary>
public sealed class LostTimelineTests
{
    private const int Late = 4000;
    private static readonly NodeSettings Witness = new() { Self = W, Membership = Three, IsWitness = true, HasCandidate = false };
    private static readonly DurableTimeline OnFirstTimeline = new(OneSystem, First);
    private static readonly DurableTimeline OnSecondTimeline = new(OneSystem, Second);

    private static NodeState Begin(DurableTimeline timeline = default, bool isTrusted = false) => NodeMachine.Create(
        Witness, new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1000, Timeline = timeline, IsTimelineTrusted = isTrusted }, At(0));

    private static NodeReport Word(MemberId from, DurableTimeline? noted, long version = 1, double ageMs = 0) => new()
    {
        Member = from,
        Incarnation = new Incarnation(9),
        Version = version,
        Noted = noted,
        NotedVersion = version,
        NotedAge = TimeSpan.FromMilliseconds(ageMs),
    };

    private static NodeStep Hear(NodeState state, double at, params NodeReport[] reports) =>
        NodeMachine.Step(state, Witness, new Input.Heard([.. reports]), At(at));

    /// <summary>Why an Accept is refused; none where it is accepted, or waits for the disk to note the timeline.</summary>
    private static RefusalReason RefusalOf(NodeState state, double at, TimelinePoint timeline)
    {
        var step = NodeMachine.Step(state, Witness, new Input.VoteAsked(1, Accept(BallotOf(9, A), timeline: timeline)), At(at));
        return step.Effects.OfType<Effect.Answer>().SingleOrDefault()?.Reply is LeaseReply.Refused refused ? refused.Reason : RefusalReason.None;
    }

    [Fact]
    public void It_accepts_nobody_while_one_is_missing()
    {
        var state = Hear(Begin(), Late, Word(A, OnFirstTimeline)).State;

        Assert.Equal(RefusalReason.TimelineUnknown, RefusalOf(state, 60_000, First));
        Assert.Equal(RefusalReason.TimelineUnknown, RefusalOf(state, 60_000, Second));
    }

    [Fact]
    public void It_notes_the_highest_that_any_other_has_and_refuses_what_is_below()
    {
        var step = Hear(Begin(), Late, Word(A, OnFirstTimeline), Word(B, OnSecondTimeline));
        var saved = Assert.Single(step.Effects.OfType<Effect.SaveTimeline>());
        Assert.Equal(OnSecondTimeline, saved.Timeline);
        Assert.Equal(RefusalReason.TimelineUnknown, RefusalOf(step.State, Late + 1, First));

        var state = NodeMachine.Step(step.State, Witness, new Input.TimelineSaved(saved.Timeline), At(Late + 2)).State;

        Assert.Null(state.Hearing);
        Assert.Equal(RefusalReason.OldTimeline, RefusalOf(state, Late + 3, First));
        Assert.Equal(RefusalReason.None, RefusalOf(state, Late + 3, Second));
    }

    [Fact]
    public void In_a_new_cluster_nobody_has_any_and_the_vote_is_free()
    {
        var state = Hear(Begin(), Late, Word(A, default(DurableTimeline)), Word(B, default(DurableTimeline))).State;

        Assert.NotEqual(RefusalReason.TimelineUnknown, RefusalOf(state, Late + 1, First));
        Assert.Null(state.Hearing);
    }

    [Fact]
    public void An_older_word_told_on_by_a_third_member_does_not_count()
    {
        var state = Hear(Begin(), Late, Word(A, OnFirstTimeline), Word(B, OnFirstTimeline, ageMs: Late)).State;
        Assert.Equal(RefusalReason.TimelineUnknown, RefusalOf(state, Late + 1, First));

        state = Hear(state, Late + 500, Word(B, OnFirstTimeline, version: 2)).State;
        Assert.NotNull(state.SavingTimeline);
    }

    [Fact]
    public void Members_that_contradict_each_other_are_for_an_operator_to_judge()
    {
        var other = new DurableTimeline(OneSystem, Second with { SwitchLsn = new Lsn(0x4000000) });
        var state = Hear(Begin(), Late, Word(A, OnSecondTimeline), Word(B, other)).State;

        var late = NodeMachine.Step(state, Witness, new Input.Tick(), At(60_000));

        Assert.Null(late.State.SavingTimeline);
        Assert.Equal(RefusalReason.TimelineUnknown, RefusalOf(late.State, 60_000, Second));
        Assert.Contains(late.Effects.OfType<Effect.Record>(), record => record.Decision.Kind == DecisionKind.TimelineUnknown);
    }

    [Fact]
    public void An_operators_word_or_a_note_on_disk_hears_nobody()
    {
        Assert.NotEqual(RefusalReason.TimelineUnknown, RefusalOf(Begin(isTrusted: true), Late, First));
        Assert.NotEqual(RefusalReason.TimelineUnknown, RefusalOf(Begin(OnFirstTimeline), Late, First));
    }

    [Fact]
    public void A_disk_that_refuses_is_asked_again_but_not_at_once()
    {
        var step = Hear(Begin(), Late, Word(A, OnFirstTimeline), Word(B, OnFirstTimeline));
        var failed = NodeMachine.Step(step.State, Witness, new Input.TimelineNotSaved(OnFirstTimeline, "full"), At(Late + 1));
        Assert.Empty(failed.Effects.OfType<Effect.SaveTimeline>());

        var again = NodeMachine.Step(failed.State, Witness, new Input.Tick(), At(Late + 1000));
        Assert.Single(again.Effects.OfType<Effect.SaveTimeline>());
    }

    [Fact]
    public void The_server_process_of_a_split_node_adds_its_note_to_what_its_candidate_says()
    {
        var settings = Witness with { Self = A, IsWitness = false };
        var start = new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1000, Timeline = OnSecondTimeline };
        var state = NodeMachine.Step(NodeMachine.Create(settings, start, At(0)), settings, new Input.Heard([Word(A, null, version: 5)]), At(1)).State;

        Assert.Equal(OnSecondTimeline, Assert.Single(state.View.ToTell(At(2))).Noted);
    }

    [Fact]
    public void A_later_statement_without_a_note_keeps_the_earlier_one_with_its_own_age()
    {
        var view = ClusterView.Empty.Merge(Word(A, OnSecondTimeline), Three, At(0)).Merge(Word(A, null, version: 2), Three, At(900));

        var told = Assert.Single(view.ToTell(At(1000)));

        Assert.Equal((2, OnSecondTimeline), (told.Version, told.Noted));
        Assert.Equal(TimeSpan.FromMilliseconds(1000), told.NotedAge);
    }
}
