using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Machine;

/// <summary>Where a standby's poolers are told that the writer is.</summary>
public sealed class PointingTests
{
    private static readonly NodeSettings Node = new()
    {
        Self = B,
        Membership = Three,
        NodeName = "b",
        Address = "10.0.0.2",
        ServerPort = 5432,
        PointsClients = true,
    };

    private static readonly WriterPlace AtA = new(new Term(9), "10.0.0.1", 5432);

    private static NodeReport Holder(long version = 1, long term = 9) => Report(A, version, Gate.ReadWrite, new Term(term)) with
    {
        InRecovery = false,
        Health = ServerHealth.Running,
        Address = "10.0.0.1",
        ServerPort = 5432,
    };

    private static NodeState Begin() => NodeMachine.Create(Node, new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1, GateOnDisk = Gate.Fenced }, At(0));

    private static (NodeState State, IReadOnlyList<Effect.Point> Told) Step(NodeState state, double at, Input input, NodeSettings? node = null)
    {
        var step = NodeMachine.Step(state, node ?? Node, input, At(at));
        return (step.State, [.. step.Effects.OfType<Effect.Point>()]);
    }

    private static (NodeState State, IReadOnlyList<Effect.Point> Told) Hear(NodeState state, double at, params NodeReport[] reports) =>
        Step(state, at, new Input.Heard([.. reports]));

    [Fact]
    public void The_holder_with_an_open_gate_is_named_once()
    {
        var (state, told) = Hear(Begin(), 1, Holder());

        Assert.Equal(AtA, Assert.Single(told).Place);
        Assert.Empty(Hear(state, 2, Holder(2)).Told);
    }

    [Fact]
    public void Nothing_is_said_before_a_holder_is_known() => Assert.Empty(Hear(Begin(), 1, Report(A, 1)).Told);

    [Fact]
    public void Without_poolers_nothing_is_said() => Assert.Empty(Step(Begin(), 1, new Input.Heard([Holder()]), Node with { PointsClients = false }).Told);

    public static TheoryData<string> Endings() => ["gate", "lease", "recovery", "move"];

    [Theory]
    [MemberData(nameof(Endings))]
    public void A_holder_that_says_that_it_is_over_is_taken_back_at_once(string ending)
    {
        var last = ending switch
        {
            "gate" => Holder(2) with { Gate = Gate.Fenced },
            "lease" => Holder(2) with { HeldTerm = Term.None },
            "recovery" => Holder(2) with { InRecovery = true },
            _ => Holder(2) with { Offer = new HandoverOffer(B, 1, new Term(9), First, default, TimeSpan.FromSeconds(1)) },
        };

        Assert.Null(Assert.Single(Hear(Hear(Begin(), 1, Holder()).State, 2, last).Told).Place);
    }

    [Fact]
    public void A_holder_that_falls_silent_is_taken_back_before_its_word_is_old()
    {
        var state = Hear(Begin(), 1, Holder()).State;
        (state, var early) = Step(state, 1900, new Input.Tick());
        Assert.Empty(early);

        var (later, told) = Step(state, 2100, new Input.Tick());

        Assert.Null(Assert.Single(told).Place);
        Assert.Equal(AtA, Assert.Single(Hear(later, 2200, Holder(2)).Told).Place);
    }

    [Fact]
    public void Of_two_that_claim_it_the_newer_lease_counts_and_only_while_its_gate_is_open()
    {
        var next = Holder(1, 10) with { Member = W, Address = "10.0.0.3" };
        var state = Hear(Begin(), 1, Holder()).State;

        (state, var told) = Hear(state, 2, next with { Gate = Gate.Fenced });
        Assert.Null(Assert.Single(told).Place);

        Assert.Equal(new WriterPlace(new Term(10), "10.0.0.3", 5432), Assert.Single(Hear(state, 3, next with { Version = 2 }).Told).Place);
    }
}
