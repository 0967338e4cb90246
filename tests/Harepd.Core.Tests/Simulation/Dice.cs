namespace Harepd.Core.Tests.Simulation;

/// <summary>Deterministic randomness (SplitMix64). Each purpose throws its own dice, so that switching one fault off leaves the others as they were.</summary>
internal sealed class Dice
{
    private ulong _state;

    public Dice(ulong seed, string purpose)
    {
        _state = seed * 0x9E3779B97F4A7C15UL;
        foreach (var letter in purpose)
        {
            _state = (_state ^ letter) * 1099511628211UL;
        }
    }

    public ulong Next()
    {
        var z = unchecked(_state += 0x9E3779B97F4A7C15UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return z ^ (z >> 31);
    }

    /// <summary>In [0, 1).</summary>
    public double Fraction() => (Next() >> 11) / (double)(1UL << 53);

    public bool Chance(double probability) => probability > 0 && Fraction() < probability;

    /// <summary>In [0, below).</summary>
    public int Below(int below) => (int)(Next() % (ulong)below);

    /// <summary>Uniform between two durations, in nanoseconds of true time.</summary>
    public long Between(long low, long high) => low + (long)(Fraction() * (high - low));

    /// <summary>Exponential with this mean, cut at ten times the mean.</summary>
    public long Exponential(long mean) => (long)Math.Min(-Math.Log(1 - Fraction()) * mean, 10.0 * mean);

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}

/// <summary>True time of the simulation, in nanoseconds.</summary>
internal static class Span
{
    public const long Microsecond = 1_000;
    public const long Millisecond = 1_000_000;
    public const long Second = 1_000_000_000;

    public static long Of(TimeSpan span) => span.Ticks * 100;
}
