using Harepd.Config;
using Xunit;

namespace Harepd.Tests.Config;

public sealed class LeaseBudgetTests
{
    [Theory]
    [InlineData("default", 3014, 2400, 3000, 1890, 2514, 3314)]
    [InlineData("fast", 1012, 700, 1000, 490, 812, 1312)]
    public void The_worked_example_comes_out(string profile, int hold, int fence, int deadline, int stall, int silence, int lost)
    {
        var lease = TemporaryConfig.Good(TemporaryConfig.Plus($"lease: {{ profile: {profile} }}")).Lease;

        var budget = LeaseBudget.Of(lease);

        Assert.Equal(hold, budget.VotersHold.TotalMilliseconds);
        Assert.Equal(fence, budget.FenceStarts.TotalMilliseconds);
        Assert.Equal(deadline, budget.Deadline.TotalMilliseconds);
        Assert.Equal(stall, budget.StallSurvived.TotalMilliseconds);
        Assert.Equal(silence, budget.SilenceAtLeast.TotalMilliseconds);
        Assert.Equal(lost, budget.HostLost.TotalMilliseconds);
        Assert.Equal(3_014, budget.VotersAbstain.TotalMilliseconds);
    }

    [Fact]
    public void Voters_hold_longer_than_the_holder_at_every_drift()
    {
        var lease = TemporaryConfig.Good(TemporaryConfig.Minimal).Lease;
        for (var ppm = 1; ppm <= 50_000; ppm += 613)
        {
            var budget = LeaseBudget.Of(lease with { DriftPpm = ppm });

            // The holder's clock slow by rho, the voter's fast by rho, in exact ticks.
            Assert.True((decimal)budget.VotersHold.Ticks * (1_000_000 - ppm) >= (decimal)lease.Duration.Ticks * (1_000_000 + ppm));
        }
    }
}
