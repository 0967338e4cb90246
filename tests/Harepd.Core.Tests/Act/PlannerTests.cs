using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Act;

public sealed class PlannerTests
{
    private static readonly HeldLease Lease = new(new Term(7), BallotOf(7, A), At(3000), At(2700), [A, W]);

    private static Situation Calm(bool isHolder, Fitness fitness, ServerObservation server) =>
        new() { Held = isHolder ? Lease : null, Server = server, Fitness = fitness, FitnessReason = "the test says so" };

    /// <summary>Holder, fitness, health, in recovery, may serve reads, may be open → gate (null: leave it).</summary>
    public static TheoryData<bool, Fitness, ServerHealth, bool?, bool, bool, Gate?> Table => new()
    {
        { true, Fitness.Fit, ServerHealth.Running, false, false, false, Gate.ReadWrite },
        { true, Fitness.Fit, ServerHealth.Running, false, true, true, Gate.ReadWrite },
        { true, Fitness.Bearable, ServerHealth.SlotsFull, false, false, false, null },
        { true, Fitness.Bearable, ServerHealth.Unknown, null, false, true, null },
        { true, Fitness.Unfit, ServerHealth.Down, null, false, false, Gate.Fenced },
        { true, Fitness.Unfit, ServerHealth.Running, true, true, false, Gate.Fenced },
        { false, Fitness.Fit, ServerHealth.Running, false, false, false, Gate.Fenced },
        { false, Fitness.Fit, ServerHealth.Running, false, true, false, Gate.Fenced },
        { false, Fitness.Unfit, ServerHealth.Running, true, true, false, Gate.ReadOnly },
        { false, Fitness.Unfit, ServerHealth.Running, true, false, false, Gate.Fenced },
        { false, Fitness.Unfit, ServerHealth.Running, true, true, true, Gate.ReadOnly },
        { false, Fitness.Bearable, ServerHealth.Unknown, null, false, false, null },
        { false, Fitness.Bearable, ServerHealth.Unknown, null, true, true, Gate.Fenced },
        { false, Fitness.Bearable, ServerHealth.SlotsFull, false, false, false, Gate.Fenced },
        { false, Fitness.Bearable, ServerHealth.Starting, null, false, false, Gate.Fenced },
        { false, Fitness.Unfit, ServerHealth.Down, null, true, false, Gate.Fenced },
        { false, Fitness.Unfit, ServerHealth.Hung, null, true, true, Gate.Fenced },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Every_situation_has_its_gate(bool isHolder, Fitness fitness, ServerHealth health, bool? inRecovery, bool mayServe, bool mayBeOpen, Gate? expected)
    {
        var situation = Calm(isHolder, fitness, Server(health, inRecovery, At(0))) with { MayServeReads = mayServe, MayBeOpen = mayBeOpen };

        var desired = Planner.Desire(situation);

        Assert.Equal(expected, desired.Gate);
        Assert.NotEmpty(desired.Reason);
    }

    [Fact]
    public void A_standby_that_was_asked_to_promote_serves_no_reads_any_more()
    {
        var server = Server(ServerHealth.Running, inRecovery: true, At(0)) with { WasAskedToPromote = true };

        var desired = Planner.Desire(Calm(isHolder: false, Fitness.Unfit, server) with { MayServeReads = true });

        Assert.Equal(Gate.Fenced, desired.Gate);
    }

    [Fact]
    public void The_write_gate_is_wanted_in_no_situation_but_a_lease_held_with_a_fit_server()
    {
        var wanted = 0;
        foreach (var (isHolder, isYielding, isStopping) in Choices())
        {
            foreach (var fitness in Enum.GetValues<Fitness>())
            {
                foreach (var health in Enum.GetValues<ServerHealth>())
                {
                    foreach (var inRecovery in new bool?[] { true, false, null })
                    {
                        var situation = Calm(isHolder, fitness, Server(health, inRecovery, At(0))) with
                        {
                            IsYielding = isYielding,
                            IsStopping = isStopping,
                            MayServeReads = true,
                        };
                        var isWanted = Planner.Desire(situation).Gate == Gate.ReadWrite;
                        Assert.Equal(isHolder && !isYielding && !isStopping && fitness == Fitness.Fit, isWanted);
                        wanted += isWanted ? 1 : 0;
                    }
                }
            }
        }

        Assert.True(wanted > 0);
    }

    private static IEnumerable<(bool IsHolder, bool IsYielding, bool IsStopping)> Choices() =>
        Enumerable.Range(0, 8).Select(bits => ((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0));

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Who_stops_or_yields_is_fenced_even_as_a_good_standby(bool isYielding, bool isStopping)
    {
        var situation = Calm(false, Fitness.Unfit, Standby(At(0))) with { MayServeReads = true, IsYielding = isYielding, IsStopping = isStopping };

        Assert.Equal(Gate.Fenced, Planner.Desire(situation).Gate);
    }

    /// <summary>Holder, known, now, asked → write, read.</summary>
    public static TheoryData<bool, bool, Gate, Gate?, bool, bool> Routes => new()
    {
        { true, true, Gate.ReadWrite, Gate.ReadWrite, true, false },
        { false, true, Gate.ReadWrite, Gate.ReadWrite, false, false },
        { true, false, Gate.ReadWrite, Gate.ReadWrite, false, false },
        { true, true, Gate.ReadWrite, Gate.Fenced, false, false },
        { true, true, Gate.Fenced, Gate.ReadWrite, false, false },
        { true, true, Gate.ReadWrite, null, false, false },
        { false, true, Gate.ReadOnly, Gate.ReadOnly, false, true },
        { false, true, Gate.ReadOnly, Gate.Fenced, false, false },
        { false, false, Gate.ReadOnly, Gate.ReadOnly, false, false },
        { false, true, Gate.Fenced, Gate.Fenced, false, false },
    };

    [Fact]
    public void Readers_reach_the_holder_only_through_an_open_gate()
    {
        Assert.Equal(new Route(true, true), Planner.RouteOf(Lease, isKnown: true, Gate.ReadWrite, Gate.ReadWrite, holderServesReads: true));
        Assert.Equal(Route.None, Planner.RouteOf(Lease, isKnown: true, Gate.ReadWrite, Gate.Fenced, holderServesReads: true));
        Assert.Equal(Route.None, Planner.RouteOf(null, isKnown: true, Gate.Fenced, Gate.Fenced, holderServesReads: true));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public void Traffic_goes_only_to_a_gate_that_is_confirmed_open_and_not_about_to_be_shut(bool isHolder, bool isKnown, Gate now, Gate? asked, bool write, bool read) =>
        Assert.Equal(new Route(write, read), Planner.RouteOf(isHolder ? Lease : null, isKnown, now, asked, holderServesReads: false));

    [Fact]
    public void An_operators_order_shuts_every_gate_whatever_is_held()
    {
        foreach (var isHolder in new[] { true, false })
        {
            var situation = Calm(isHolder, isHolder ? Fitness.Fit : Fitness.Unfit, isHolder ? Primary(At(0)) : Standby(At(0))) with { MayServeReads = true, ShutByOrder = "ordered" };

            Assert.Equal(new DesiredGate(Gate.Fenced, "ordered"), Planner.Desire(situation));
        }
    }

    [Fact]
    public void A_standby_in_maintenance_gets_no_new_readers_and_a_holder_goes_on_serving()
    {
        Assert.Equal(Route.None with { LeavesReaders = true }, Planner.RouteOf(null, isKnown: true, Gate.ReadOnly, Gate.ReadOnly, holderServesReads: false, isMaintained: true));
        Assert.Equal(Route.None, Planner.RouteOf(null, isKnown: true, Gate.Fenced, Gate.Fenced, holderServesReads: false, isMaintained: true));
        Assert.Equal(new Route(true, true), Planner.RouteOf(Lease, isKnown: true, Gate.ReadWrite, Gate.ReadWrite, holderServesReads: true, isMaintained: true));
    }
}
