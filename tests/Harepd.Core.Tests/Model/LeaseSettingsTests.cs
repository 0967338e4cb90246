using Harepd.Core.Model;
using Xunit;

namespace Harepd.Core.Tests.Model;

public sealed class LeaseSettingsTests
{
    private static readonly LeaseSettings Fast = new()
    {
        Duration = TimeSpan.FromSeconds(1),
        MaxDuration = TimeSpan.FromSeconds(1),
        RenewInterval = TimeSpan.FromMilliseconds(200),
    };

    [Fact]
    public void Voters_hold_and_abstain_as_in_the_worked_example_of_the_default_profile()
    {
        var settings = new LeaseSettings();

        Assert.Equal(3.014, Math.Ceiling(settings.HoldFor(settings.Duration).TotalMilliseconds) / 1000);
        Assert.Equal(settings.HoldFor(settings.Duration), settings.AbstainFor);
    }

    [Fact]
    public void Voters_hold_as_in_the_worked_example_of_the_fast_profile() =>
        Assert.Equal(1.012, Math.Ceiling(Fast.HoldFor(Fast.Duration).TotalMilliseconds) / 1000);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 500)]
    [InlineData(29_999_999, 500)]
    [InlineData(30_000_000, 999_999)]
    [InlineData(long.MaxValue / 4_000_000, 500)]
    public void A_hold_outlasts_the_slowest_clock_of_a_holder_by_the_fastest_of_a_voter(long ticks, int ppm)
    {
        var settings = new LeaseSettings { DriftPpm = ppm };

        var hold = (Int128)settings.HoldFor(TimeSpan.FromTicks(ticks)).Ticks;

        // hold/(1+ρ) ≥ (D+m)/(1−ρ) in true time, and not more than one tick above what is needed.
        var needed = ((Int128)ticks + settings.Margin.Ticks) * (1_000_000 + ppm);
        Assert.True(hold * (1_000_000 - ppm) >= needed);
        Assert.True((hold - 1) * (1_000_000 - ppm) < needed);
    }

    [Fact]
    public void Abstention_follows_the_cap_and_not_the_duration_of_today()
    {
        var settings = new LeaseSettings { Duration = TimeSpan.FromSeconds(1), MaxDuration = TimeSpan.FromSeconds(10) };

        Assert.Equal(settings.HoldFor(TimeSpan.FromSeconds(10)), settings.AbstainFor);
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(1000, 250)]
    [InlineData(3000, 750)]
    [InlineData(60000, 750)]
    public void An_election_may_take_a_quarter_of_the_lease_within_bounds(int durationMs, int expectedMs)
    {
        var settings = new LeaseSettings { Duration = TimeSpan.FromMilliseconds(durationMs) };

        Assert.Equal(TimeSpan.FromMilliseconds(expectedMs), settings.ElectionTimeout);
    }
}
