using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Machine;

/// <summary>What a decision carries beyond its sentence, and that each member notes who serves.</summary>
public sealed class HistoryTests
{
    private static readonly TimelinePoint Second = new(2, new Lsn(0x3000148));
    private static readonly NodeSettings Witness = new() { Self = W, Membership = Three, NodeName = "w", HasCandidate = false, IsWitness = true };
    private static readonly NodeSettings Data = new() { Self = B, Membership = Three, NodeName = "b" };

    private static NodeReport Holder(long version, long term, Gate gate = Gate.ReadWrite) => Report(A, version, gate, new Term(term)) with
    {
        NodeName = "a",
        InRecovery = false,
        Health = ServerHealth.Running,
        Timeline = Second,
        WriteLsn = new Lsn(0x3000200),
    };

    private static NodeState Begin(NodeSettings node) => NodeMachine.Create(node, new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1, GateOnDisk = Gate.Fenced }, At(0));

    private static (NodeState State, ImmutableArray<Decision> Noted) Step(NodeSettings node, NodeState state, double at, Input input)
    {
        var step = NodeMachine.Step(state, node, input, At(at));
        return (step.State, [.. step.Effects.OfType<Effect.Record>().Select(record => record.Decision)]);
    }

    [Fact]
    public void A_witness_notes_who_serves_once_a_lease()
    {
        var (state, first) = Step(Witness, Begin(Witness), 1, new Input.Heard([Holder(1, 7)]));
        (state, var again) = Step(Witness, state, 2, new Input.Heard([Holder(2, 7)]));
        var (_, next) = Step(Witness, state, 3, new Input.Heard([Holder(3, 8)]));

        var seen = Assert.Single(first, decision => decision.Kind == DecisionKind.HolderSeen);
        Assert.Equal(("", "a on 2@0/3000148", new Term(7), Second, new Lsn(0x3000200)), (seen.From, seen.To, seen.Term, seen.Timeline, seen.Lsn));
        Assert.DoesNotContain(again, decision => decision.Kind == DecisionKind.HolderSeen);
        Assert.Equal("a on 2@0/3000148", Assert.Single(next, decision => decision.Kind == DecisionKind.HolderSeen).From);
    }

    [Fact]
    public void A_holder_whose_gate_is_shut_does_not_serve()
    {
        Assert.DoesNotContain(Step(Witness, Begin(Witness), 1, new Input.Heard([Holder(1, 7, Gate.Fenced)])).Noted, decision => decision.Kind == DecisionKind.HolderSeen);
    }

    [Fact]
    public void A_decision_about_the_own_server_tells_where_that_was()
    {
        var server = new ServerObservation { At = At(1), Health = ServerHealth.Running, InRecovery = true, Timeline = Second, WriteLsn = new Lsn(0x3000300) };

        var (_, noted) = Step(Data, Begin(Data), 1, new Input.Observed(server));

        var changed = Assert.Single(noted, decision => decision.Kind == DecisionKind.ServerChanged);
        Assert.Equal((Second, new Lsn(0x3000300), DecisionActor.Daemon), (changed.Timeline, changed.Lsn, changed.Actor));
    }

    [Fact]
    public void A_gate_says_how_long_it_took_from_when_it_was_asked_for_first()
    {
        var server = new ServerObservation { At = At(1), Health = ServerHealth.Running, InRecovery = true, Timeline = Second };
        var (state, asked) = Step(Data, Begin(Data), 1, new Input.Observed(server));
        Assert.Contains(asked, decision => decision.Kind == DecisionKind.GateAsked);
        (state, var failed) = Step(Data, state, 41, new Input.GateApplied(state.Gate.Sequence, Gate.ReadWrite, false, "locked"));
        (state, _) = Step(Data, state, 1000, new Input.Tick());
        var (_, done) = Step(Data, state, 1101, new Input.GateApplied(state.Gate.Sequence, Gate.Fenced, true, "shut"));

        Assert.Equal(TimeSpan.FromMilliseconds(40), Assert.Single(failed, decision => decision.Kind == DecisionKind.GateFailed).Took);
        Assert.Equal(TimeSpan.FromMilliseconds(1100), Assert.Single(done, decision => decision.Kind == DecisionKind.GateConfirmed).Took);
    }

    [Fact]
    public void A_pause_was_wanted_by_a_person()
    {
        var (_, noted) = Step(Data, Begin(Data), 1, new Input.PauseOrdered(5, TimeSpan.FromMinutes(1)));

        Assert.Equal(DecisionActor.Operator, Assert.Single(noted, decision => decision.Kind == DecisionKind.Paused).Actor);
    }
}
