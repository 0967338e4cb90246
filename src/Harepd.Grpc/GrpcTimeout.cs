using System.Globalization;

namespace Harepd.Grpc;

/// <summary>The <c>grpc-timeout</c> header: one to eight digits and a unit of H, M, S, m, u or n.</summary>
internal static class GrpcTimeout
{
    private const int MaxDigits = 8;

    /// <summary>
    /// Reads the header. False where it is malformed. Nanoseconds are rounded up to 100 ns and the longest spans
    /// (99,999,999 hours) fit a <see cref="TimeSpan"/>, so nothing overflows.
    /// </summary>
    public static bool TryParse(string? text, out TimeSpan timeout)
    {
        timeout = default;
        if (text is null || text.Length is < 2 or > MaxDigits + 1
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        long? ticks = text[^1] switch
        {
            'H' => value * TimeSpan.TicksPerHour,
            'M' => value * TimeSpan.TicksPerMinute,
            'S' => value * TimeSpan.TicksPerSecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'u' => value * TimeSpan.TicksPerMicrosecond,
            'n' => (value + 99) / 100,
            _ => null,
        };
        timeout = new TimeSpan(ticks ?? 0);
        return ticks is not null;
    }

    /// <summary>Writes a positive span in the finest unit that fits eight digits: microseconds up to 99 s, then milliseconds, then seconds.</summary>
    public static string Format(TimeSpan timeout)
    {
        const long limit = 99_999_999;
        var micros = Math.Max(1, timeout.Ticks / TimeSpan.TicksPerMicrosecond);
        return micros <= limit ? string.Create(CultureInfo.InvariantCulture, $"{micros}u")
            : micros / 1000 <= limit ? string.Create(CultureInfo.InvariantCulture, $"{micros / 1000}m")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Min(limit, micros / 1_000_000)}S");
    }
}
