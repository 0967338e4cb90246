namespace Harepd.Bench.Steering;

/// <summary>One figure of a scenario, beside its floor where it has one.</summary>
/// <param name="Measure">What was measured, with its unit at the end.</param>
/// <param name="Floor">The same steps by hand; null where there is no such thing.</param>
/// <param name="Harepd">With the daemons at work.</param>
internal sealed record Comparison(string Measure, Distribution? Floor, Distribution Harepd)
{
    /// <summary>Of the medians.</summary>
    public double? Ratio => Floor is { Median: > 0 } floor ? Math.Round(Harepd.Median / floor.Median, 2) : null;
}
