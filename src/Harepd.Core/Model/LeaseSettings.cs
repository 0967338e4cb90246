namespace Harepd.Core.Model;

/// <summary>
/// The durations of the lease (DESIGN section 4). The defaults are the worked example of the default profile.
/// Every member may have its own duration; <see cref="MaxDuration"/>, drift and margin must be the same everywhere.
/// </summary>
public sealed record LeaseSettings
{
    /// <summary>D: how long a lease lasts for its holder, counted from P, the reading before the first message (R1).</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the holder renews.</summary>
    public TimeSpan RenewInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>F: how long before its deadline the holder begins to fence itself.</summary>
    public TimeSpan FenceBudget { get; init; } = TimeSpan.FromMilliseconds(600);

    /// <summary>D_max: the longest duration a voter grants, and what its abstention after a start without memory follows (R7).</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>ρ: how far the rate of a clock may be off, in parts per million (R8).</summary>
    public int DriftPpm { get; init; } = 500;

    /// <summary>m: covers the clocks' granularity and rounding (R8).</summary>
    public TimeSpan Margin { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How long to wait before asking those again that have not answered; never moves P.</summary>
    public TimeSpan Retransmit { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A round trip between members as expected; scales the back-off of elections.</summary>
    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How long an election may take before it is dropped and released.</summary>
    public TimeSpan ElectionTimeout =>
        TimeSpan.FromTicks(Math.Clamp(Duration.Ticks / 4, TimeSpan.FromMilliseconds(100).Ticks, TimeSpan.FromMilliseconds(750).Ticks));

    /// <summary>A(d) = ⌈(d + m)(1+ρ)/(1−ρ)⌉: how long a voter refuses others after it accepted a lease of duration d (R8). Rounded up to 100 ns.</summary>
    public TimeSpan HoldFor(TimeSpan duration)
    {
        var ticks = (Int128)(duration + Margin).Ticks;
        var above = 1_000_000 + DriftPpm;
        var below = 1_000_000 - DriftPpm;
        return TimeSpan.FromTicks((long)((ticks * above + below - 1) / below));
    }

    /// <summary>Q = A(D_max): how long a voter that starts without its memory abstains (R7).</summary>
    public TimeSpan AbstainFor => HoldFor(MaxDuration);
}
