using Harepd.Cli;
using Xunit;

namespace Harepd.Tests.Cli;

/// <summary><c>--at</c> of <c>harepd switchover</c> and <c>harepd restart</c>.</summary>
public sealed class MoveTimingTests
{
    private static readonly DateTimeOffset _now = new(2026, 12, 5, 22, 0, 0, TimeSpan.FromHours(1));

    [Theory]
    [InlineData("2026-12-06T03:30:00+01:00", 5.5)]
    [InlineData("2026-12-06T02:30:00Z", 5.5)]
    [InlineData("2026-12-12T21:59+01:00", 167.9833)]
    public void A_time_to_come_is_so_far_away(string at, double hours) => Assert.Equal(hours, MoveTiming.After(at, _now).Value.TotalHours, 3);

    [Theory]
    [InlineData("tonight", "no time")]
    [InlineData("2026-12-05T21:00:00Z", "is over")]
    [InlineData("2026-12-13T00:00:00Z", "too far")]
    public void Another_is_told_with_a_mend(string at, string problem)
    {
        var parsed = MoveTiming.After(at, _now);

        Assert.Contains(problem, parsed.Problem, StringComparison.Ordinal);
        Assert.NotEmpty(parsed.Mend!);
    }

    [Fact]
    public void Without_one_it_is_now() => Assert.Equal(TimeSpan.Zero, MoveTiming.After(null, _now).Value);
}
