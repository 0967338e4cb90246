using Harepd.Core.Act;
using Harepd.Core.Model;
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
}
