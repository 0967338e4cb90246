using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Machine;

/// <summary>What a node that judges failovers still knows after a restart.</summary>
public sealed class MemoryTests
{
    private static readonly NodeSettings Node = new() { Self = B, Membership = Three, NodeName = "b", Failover = new FailoverPolicy { Promoter = Promoter.Harepd } };

    private static NodeState Begin(DurableMemory memory) =>
        NodeMachine.Create(Node, new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1, GateOnDisk = Gate.Fenced, Memory = memory }, At(0));

    private static Input.Heard Promoted(long version, long term, double secondsAgo) =>
        new([Report(A, version, Gate.ReadWrite, new Term(term)) with { InRecovery = false, PromotedAge = TimeSpan.FromSeconds(secondsAgo) }]);

    [Fact]
    public void A_failover_that_is_counted_is_kept_and_not_counted_again_after_the_restart()
    {
        var first = NodeMachine.Step(Begin(new DurableMemory()), Node, Promoted(1, 7, 5), At(10_000));
        var kept = Assert.Single(first.Effects.OfType<Effect.KeepMemory>()).Memory;
        Assert.Equal((At(5_000), new Term(7)), (Assert.Single(kept.Failovers), kept.CountedTerm));

        var again = NodeMachine.Step(Begin(kept), Node, Promoted(2, 7, 15), At(20_000));
        Assert.Equal(At(5_000), Assert.Single(again.State.Promotion.Failovers));
        Assert.Empty(again.Effects.OfType<Effect.KeepMemory>());

        var second = NodeMachine.Step(again.State, Node, Promoted(3, 8, 0), At(30_000));
        Assert.Equal([At(5_000), At(30_000)], second.State.Promotion.Failovers.ToArray());
    }

    [Fact]
    public void A_pause_is_kept_and_goes_on_after_the_restart_until_its_end_or_an_operators_word()
    {
        var ordered = NodeMachine.Step(Begin(new DurableMemory()), Node, new Input.PauseOrdered(5, TimeSpan.FromMinutes(10)), At(1_000));
        var kept = Assert.Single(ordered.Effects.OfType<Effect.KeepMemory>()).Memory;

        var restarted = Begin(kept);
        Assert.Equal((5L, At(1_000) + TimeSpan.FromMinutes(10)), (restarted.Promotion.PauseNumber, restarted.Promotion.PausedUntil));

        // An older order that is still told about does not end it; a newer one does.
        Assert.Equal(restarted.Promotion.PausedUntil, NodeMachine.Step(restarted, Node, new Input.Tick(), At(2_000)).State.Promotion.PausedUntil);
        var resumed = NodeMachine.Step(restarted, Node, new Input.PauseOrdered(6, TimeSpan.Zero), At(3_000));
        Assert.Equal(Instant.Zero, resumed.State.Promotion.PausedUntil);
        Assert.Equal(6, Assert.Single(resumed.Effects.OfType<Effect.KeepMemory>()).Memory.PauseNumber);
    }

    [Fact]
    public void A_step_that_changes_nothing_of_it_keeps_nothing()
    {
        Assert.Empty(NodeMachine.Step(Begin(new DurableMemory()), Node, new Input.Tick(), At(1)).Effects.OfType<Effect.KeepMemory>());
    }

    [Fact]
    public void Orders_for_this_node_are_kept_until_their_end()
    {
        var memory = new DurableMemory { MaintainedUntil = At(5_000), FencedUntil = At(3_000), IsStopped = true };
        var begun = NodeMachine.Step(Begin(memory), Node, new Input.Tick(), At(1_000));
        Assert.Equal((At(5_000), At(3_000), true), (begun.State.Orders.MaintainedUntil, begun.State.Orders.FencedUntil, begun.State.Orders.Stop is not null));
        Assert.Empty(begun.Effects.OfType<Effect.KeepMemory>());

        var unfenced = NodeMachine.Step(begun.State, Node, new Input.Tick(), At(3_000));
        Assert.Equal((At(5_000), Instant.Zero), (unfenced.State.Orders.MaintainedUntil, Assert.Single(unfenced.Effects.OfType<Effect.KeepMemory>()).Memory.FencedUntil));
        Assert.Equal(Instant.Zero, NodeMachine.Step(unfenced.State, Node, new Input.Tick(), At(5_000)).State.Orders.MaintainedUntil);

        // Somebody else started the server.
        var running = NodeMachine.Step(unfenced.State, Node, new Input.Observed(Standby(At(3_500))), At(3_500));
        Assert.Null(running.State.Orders.Stop);
        Assert.False(Assert.Single(running.Effects.OfType<Effect.KeepMemory>()).Memory.IsStopped);
    }

    /// <summary>Seconds since it began, end as kept, system and timeline of the data folder, its end, standby → goes on.</summary>
    public static TheoryData<double, ulong, ulong, uint, ulong, bool, bool> Folders => new()
    {
        { 5, 0x4000001, 7001, 1, 0x4000001, false, true },
        { 90_000, 0x4000001, 7001, 1, 0x4000001, false, true },
        { 5, 0, 7001, 1, 0x4000001, false, true },
        { 1_000, 0, 7001, 1, 0x4000001, false, false },
        { 5, 0x4000001, 7002, 1, 0x4000001, false, false },
        { 5, 0x4000001, 7001, 2, 0x4000001, false, false },
        { 5, 0x4000001, 7001, 1, 0x4000009, false, false },
        { 5, 0x4000001, 7001, 1, 0x4000001, true, false },
    };

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_move_goes_on_only_with_a_server_that_is_as_it_was_left(double seconds, ulong kept, ulong system, uint timeline, ulong end, bool isStandby, bool goesOn)
    {
        var move = new KeptMove
        {
            Number = 9,
            To = A,
            ToName = "a",
            Term = new Term(7),
            Timeline = First,
            System = OneSystem,
            End = new Lsn(kept),
            Began = At(0) - TimeSpan.FromSeconds(seconds),
        };
        var seen = new Input.Observed(new ServerObservation
        {
            At = At(100),
            Health = ServerHealth.StoppedCleanly,
            SystemId = new SystemId(system),
            OnDisk = new DiskState(new TimelinePoint(timeline, default), new Lsn(end), isStandby),
        });

        var step = NodeMachine.Step(Begin(new DurableMemory { Move = move }), Node, seen, At(100));

        Assert.Null(step.State.Unfinished);
        Assert.Equal(goesOn ? MoveStep.TakeBack : null, step.State.Move?.Step);
        Assert.Equal(goesOn, Assert.Single(step.Effects.OfType<Effect.Record>(), record => record.Decision.Kind is DecisionKind.MoveResumed or DecisionKind.MoveForgotten).Decision.Kind == DecisionKind.MoveResumed);
        Assert.Empty(step.Effects.OfType<Effect.StartServer>());
    }

    [Fact]
    public void That_nobody_listens_is_no_word_of_the_disk_and_is_waited_for_for_a_while()
    {
        var move = new KeptMove { Number = 9, To = A, ToName = "a", Term = new Term(7), Timeline = First, System = OneSystem, End = new Lsn(0x4000001), Began = At(0) };
        var down = NodeMachine.Step(Begin(new DurableMemory { Move = move }), Node, new Input.Observed(Server(ServerHealth.Down, null, At(100)) with { SystemId = default }), At(100));
        Assert.NotNull(down.State.Unfinished);

        var late = NodeMachine.Step(down.State, Node, new Input.Tick(), At(0) + Node.Moves.Start);
        Assert.Null(late.State.Unfinished);

        var crashed = Server(ServerHealth.Down, null, At(200)) with { OnDisk = new DiskState(First, default, IsStandby: false) };
        Assert.Null(NodeMachine.Step(down.State, Node, new Input.Observed(crashed), At(200)).State.Unfinished);
    }
}
