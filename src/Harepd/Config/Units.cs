using System.Buffers;
using System.Globalization;

namespace Harepd.Config;

/// <summary>Durations and sizes as the configuration writes them: <c>500ms</c>, <c>3s</c>, <c>1m</c>; <c>16MB</c> as PostgreSQL counts (1024).</summary>
internal static class Units
{
    private static readonly SearchValues<char> NumberChars = SearchValues.Create("0123456789.");

    private static readonly (string Name, long Ticks)[] TimeUnits =
    [
        ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond),
        ("ms", TimeSpan.TicksPerMillisecond), ("us", TimeSpan.TicksPerMicrosecond),
    ];

    private static readonly (string Name, long Bytes)[] SizeUnits =
        [("TB", 1L << 40), ("GB", 1L << 30), ("MB", 1L << 20), ("kB", 1L << 10), ("B", 1)];

    /// <summary>Reads a duration between two bounds, both allowed.</summary>
    public static Parsed<TimeSpan> Duration(string text, TimeSpan min, TimeSpan max)
    {
        var range = $"from {Text(min)} to {Text(max)}";
        var (number, unit) = Split(text);
        var ticksPerUnit = TimeUnits.FirstOrDefault(u => u.Name == unit).Ticks;
        if (number is null || ticksPerUnit == 0)
        {
            var mend = number is not null && unit.Length == 0
                ? $"say the unit: {text}s or {text}ms"
                : $"a number and one of us, ms, s, m, h, {range}: {Text(min)}";
            return Parsed<TimeSpan>.Bad("not a duration with a unit", mend);
        }

        var ticks = number.Value * ticksPerUnit;
        return ticks < min.Ticks || ticks > max.Ticks
            ? Parsed<TimeSpan>.Bad($"out of range, {range}", $"choose a duration {range}")
            : Parsed<TimeSpan>.Good(new TimeSpan((long)ticks));
    }

    /// <summary>Reads a size in bytes between two bounds, both allowed.</summary>
    public static Parsed<long> Size(string text, long min, long max)
    {
        var range = $"from {SizeText(min)} to {SizeText(max)}";
        var (number, unit) = Split(text);
        var bytesPerUnit = SizeUnits.FirstOrDefault(u => u.Name == unit).Bytes;
        if (number is null || bytesPerUnit == 0)
        {
            var meant = SizeUnits.FirstOrDefault(u => u.Name.Equals(unit, StringComparison.OrdinalIgnoreCase)).Name;
            var mend = number is not null && meant is not null
                ? string.Create(CultureInfo.InvariantCulture, $"write {number}{meant}")
                : "a number and one of B, kB, MB, GB, TB: 16MB";
            return Parsed<long>.Bad("not a size with a unit", mend);
        }

        var bytes = number.Value * bytesPerUnit;
        return bytes < min || bytes > max
            ? Parsed<long>.Bad($"out of range, {range}", $"choose a size {range}")
            : Parsed<long>.Good((long)bytes);
    }

    /// <summary>The shortest exact form that <see cref="Duration"/> reads back.</summary>
    public static string Text(TimeSpan span)
    {
        var unit = TimeUnits.FirstOrDefault(unit => span.Ticks != 0 && span.Ticks % unit.Ticks == 0, (Name: "s", Ticks: TimeSpan.TicksPerSecond));
        return string.Create(CultureInfo.InvariantCulture, $"{(decimal)span.Ticks / unit.Ticks:0.#######}{unit.Name}");
    }

    /// <summary>The shortest exact form that <see cref="Size"/> reads back.</summary>
    public static string SizeText(long bytes)
    {
        var unit = SizeUnits.First(u => bytes % u.Bytes == 0);
        return bytes == 0 ? "0B" : string.Create(CultureInfo.InvariantCulture, $"{bytes / unit.Bytes}{unit.Name}");
    }

    private static (decimal? Number, string Unit) Split(string text)
    {
        var end = text.AsSpan().IndexOfAnyExcept(NumberChars);
        var digits = end < 0 ? text : text[..end];
        var unit = end < 0 ? "" : text[end..];
        var good = digits.Length <= 15
            && decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _)
            && digits[0] != '.' && digits[^1] != '.';
        return good ? (decimal.Parse(digits, CultureInfo.InvariantCulture), unit) : (null, unit);
    }
}
