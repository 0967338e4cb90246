using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Decide;

public sealed class EligibilityTests
{
    private static readonly HeldLease OnTheFirst = new(new Term(7), BallotOf(7, A), At(3000), At(2700), [A, W]) { Under = OnFirst };

    private static Candidacy? Of(ServerObservation server, Fitness fitness, HeldLease? held, bool isGateShut) =>
        Eligibility.Of(server, fitness, "the test says so", held, isGateShut).Candidacy;

    /// <summary>Fitness, holder, gate shut → may ask.</summary>
    [Theory]
    [InlineData(Fitness.Fit, false, true, true)]
    [InlineData(Fitness.Fit, false, false, false)]
    [InlineData(Fitness.Fit, true, false, true)]
    [InlineData(Fitness.Fit, true, true, true)]
    [InlineData(Fitness.Bearable, false, true, false)]
    [InlineData(Fitness.Bearable, true, false, true)]
    [InlineData(Fitness.Unfit, false, true, false)]
    [InlineData(Fitness.Unfit, true, true, false)]
    public void A_newcomer_must_be_fit_and_shut_a_holder_bearable(Fitness fitness, bool isHolder, bool isGateShut, bool expected) =>
        Assert.Equal(expected ? OnFirst : null, Of(Primary(At(0)), fitness, isHolder ? OnTheFirst : null, isGateShut));

    [Fact]
    public void Without_a_timeline_or_a_system_a_newcomer_may_not_ask()
    {
        Assert.Null(Of(Primary(At(0)) with { Timeline = default }, Fitness.Fit, null, true));
        Assert.Null(Of(Primary(At(0)) with { SystemId = default }, Fitness.Fit, null, true));
    }

    [Fact]
    public void A_later_timeline_without_its_switch_point_is_not_known()
    {
        // A voter would record the zero and refuse the same server for ever once its history can be read.
        Assert.Null(Of(Primary(At(0), new TimelinePoint(2, default)), Fitness.Fit, null, true));
        Assert.NotNull(Of(Primary(At(0), Second), Fitness.Fit, null, true));
    }

    [Theory]
    [InlineData(ServerHealth.Unknown)]
    [InlineData(ServerHealth.SlotsFull)]
    [InlineData(ServerHealth.Starting)]
    public void A_holder_whose_server_cannot_be_asked_for_a_while_renews_with_what_it_was_elected_for(ServerHealth health)
    {
        var mute = new ServerObservation { At = At(0), Health = health };

        Assert.Equal(OnFirst, Of(mute, Fitness.Bearable, OnTheFirst, false));
    }

    [Fact]
    public void A_holder_whose_server_went_to_another_timeline_or_system_gives_up()
    {
        Assert.Null(Of(Primary(At(0), Second), Fitness.Fit, OnTheFirst, false));
        Assert.Null(Of(Primary(At(0)) with { SystemId = new SystemId(9) }, Fitness.Fit, OnTheFirst, false));
    }
}
