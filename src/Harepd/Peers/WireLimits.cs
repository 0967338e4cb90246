using Harepd.Core.Model;
using Harepd.Grpc;

namespace Harepd.Peers;

/// <summary>
/// The bounds of everything that comes in from a peer. A peer may be broken, old or hostile: what passes here is safe to compute with,
/// and what does not is answered InvalidArgument and never reaches the decisions.
/// </summary>
internal static class WireLimits
{
    /// <summary>Members of both sets, and a report for each (R10).</summary>
    public const int MaxReports = 2 * Membership.MaxMembers;

    /// <summary>Letters of a host and port, a cluster or a node name.</summary>
    public const int MaxName = 300;

    /// <summary>Letters of a reason for people.</summary>
    public const int MaxReason = 1000;

    /// <summary>Sentences about what a member steers.</summary>
    public const int MaxRoutes = 64;

    /// <summary>Rounds, terms and versions stay below this, so that adding one never overflows.</summary>
    public const long MaxNumber = 1L << 62;

    /// <summary>The highest TCP port.</summary>
    public const int MaxPort = 65_535;

    /// <summary>Bytes of a vote, either way.</summary>
    public const int MaxVoteBytes = 8 * 1024;

    /// <summary>Bytes of a full share: thirty reports with the longest texts, in UTF-8.</summary>
    public const int MaxShareBytes = 256 * 1024;

    /// <summary>The longest span that can mean anything.</summary>
    public static readonly TimeSpan MaxSpan = TimeSpan.FromDays(366);

    /// <summary>Throws InvalidArgument, naming the field.</summary>
    public static GrpcException Refuse(string field, string problem) => new(GrpcStatusCode.InvalidArgument, $"{field} {problem}");

    /// <summary>A text without control characters, not longer than allowed.</summary>
    public static string Text(string value, int max, string field)
    {
        if (value.Length > max)
        {
            throw Refuse(field, $"is longer than {max} letters");
        }

        return value.AsSpan().ContainsAnyInRange('\0', '\u001f') || value.Contains('\u007f', StringComparison.Ordinal)
            ? throw Refuse(field, "holds a control character")
            : value;
    }

    /// <summary>A text that must not be empty.</summary>
    public static string Name(string value, string field) =>
        value.Length == 0 ? throw Refuse(field, "is missing") : Text(value, MaxName, field);

    /// <summary>A number from <paramref name="least"/> to <see cref="MaxNumber"/>.</summary>
    public static long Number(long value, long least, string field) =>
        value < least || value > MaxNumber ? throw Refuse(field, $"is {value}, out of range") : value;

    /// <summary>A span of nanoseconds, not negative; rounded up to the 100 ns of a <see cref="TimeSpan"/>, because voters round up (R8).</summary>
    public static TimeSpan Span(long nanos, string field)
    {
        if (nanos < 0 || nanos > MaxSpan.Ticks * 100)
        {
            throw Refuse(field, $"is {nanos} ns, out of range");
        }

        return new TimeSpan((nanos + 99) / 100);
    }

    /// <summary>The same span on its way out: clamped, for a clock or a server may have said something odd.</summary>
    public static long Nanos(TimeSpan span) => Math.Clamp(span.Ticks, 0, MaxSpan.Ticks) * 100;

    /// <summary>A text on its way out: cut, and freed of control characters, so that no honest peer refuses it.</summary>
    public static string Clean(string? value, int max)
    {
        var cut = value is null ? "" : value.Length <= max ? value : value[..max];
        return string.Create(cut.Length, cut, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                // A lone half of a surrogate pair cannot be written as UTF-8; the cut may have made one.
                var isHalf = char.IsSurrogate(source[i])
                    && !(i + 1 < source.Length && char.IsSurrogatePair(source[i], source[i + 1]))
                    && !(i > 0 && char.IsSurrogatePair(source[i - 1], source[i]));
                target[i] = char.IsControl(source[i]) || isHalf ? ' ' : source[i];
            }
        });
    }
}
