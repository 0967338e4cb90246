namespace Harepd.Bench.Steering;

/// <summary>What many measurements of one thing came to.</summary>
internal sealed record Distribution(int Count, double Median, double P95, double Least, double Most)
{
    /// <summary>Of at least one value; the median is the lower one of an even number.</summary>
    public static Distribution Of(IEnumerable<double> values)
    {
        var sorted = values.Order().Select(value => Math.Round(value, 1)).ToList();
        return new Distribution(sorted.Count, At(0.5), At(0.95), sorted[0], sorted[^1]);

        double At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * share) - 1)];
    }
}
