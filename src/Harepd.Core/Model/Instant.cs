namespace Harepd.Core.Model;

/// <summary>
/// A moment on one host's boot-time clock, in nanoseconds since boot (CLOCK_BOOTTIME, ADR 0003).
/// Never compared with an instant of another host. Zero means "never" where a moment is optional.
/// </summary>
public readonly record struct Instant(long Nanos) : IComparable<Instant>
{
    /// <summary>The earliest instant; used where nothing has happened yet.</summary>
    public static readonly Instant Zero;

    /// <summary>Later than every instant a clock can show.</summary>
    public static readonly Instant Forever = new(long.MaxValue);

    public static Instant operator +(Instant at, TimeSpan span) =>
        at == Forever ? Forever : new(checked(at.Nanos + span.Ticks * 100));

    public static Instant operator -(Instant at, TimeSpan span) =>
        at == Forever ? Forever : new(checked(at.Nanos - span.Ticks * 100));

    /// <summary>The span between two instants of one host, truncated to 100 ns.</summary>
    public static TimeSpan operator -(Instant left, Instant right) => new((left.Nanos - right.Nanos) / 100);

    public static bool operator <(Instant left, Instant right) => left.Nanos < right.Nanos;

    public static bool operator >(Instant left, Instant right) => left.Nanos > right.Nanos;

    public static bool operator <=(Instant left, Instant right) => left.Nanos <= right.Nanos;

    public static bool operator >=(Instant left, Instant right) => left.Nanos >= right.Nanos;

    public int CompareTo(Instant other) => Nanos.CompareTo(other.Nanos);

    /// <summary>The earlier of two instants of one host.</summary>
    public static Instant Min(Instant left, Instant right) => left <= right ? left : right;

    /// <summary>
    /// The first of these instants that comes after <paramref name="now"/>; <see cref="Forever"/> when none does. What was due before and was not done hides nothing
    /// that is still to come.
    /// </summary>
    public static Instant NextAfter(Instant now, params ReadOnlySpan<Instant> instants)
    {
        var next = Forever;
        foreach (var at in instants)
        {
            next = at > now ? Min(next, at) : next;
        }

        return next;
    }

    /// <summary>The later of two instants of one host.</summary>
    public static Instant Max(Instant left, Instant right) => left >= right ? left : right;

    public override string ToString() => $"{Nanos / 1_000_000_000.0:F6}s";
}
