using System.Globalization;

namespace Harepd.Core.Model;

/// <summary>A position in the write-ahead log (PostgreSQL's <c>pg_lsn</c>), printed as PostgreSQL does: <c>0/3000148</c>. Zero is unknown.</summary>
public readonly record struct Lsn(ulong Value) : IComparable<Lsn>
{
    public int CompareTo(Lsn other) => Value.CompareTo(other.Value);

    public static bool operator <(Lsn left, Lsn right) => left.Value < right.Value;

    public static bool operator >(Lsn left, Lsn right) => left.Value > right.Value;

    public static bool operator <=(Lsn left, Lsn right) => left.Value <= right.Value;

    public static bool operator >=(Lsn left, Lsn right) => left.Value >= right.Value;

    /// <summary>Reads PostgreSQL's text form; false leaves <paramref name="lsn"/> zero.</summary>
    public static bool TryParse(string? text, out Lsn lsn)
    {
        lsn = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (text is null || slash <= 0
            || !uint.TryParse(text.AsSpan(0, slash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !uint.TryParse(text.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        lsn = new Lsn(((ulong)high << 32) | low);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value >> 32:X}/{Value & 0xFFFFFFFF:X}");
}

/// <summary>A PostgreSQL timeline and the position where it left its parent. Numbers can collide, the pair does not (DESIGN section 4). Timeline 0 is unknown.</summary>
/// <param name="Timeline">1 for a fresh cluster, one more at each promotion.</param>
/// <param name="SwitchLsn">Where it branched off, from the timeline history file; zero on timeline 1, and when unreadable.</param>
public readonly record struct TimelinePoint(uint Timeline, Lsn SwitchLsn)
{
    /// <summary>
    /// True where the pair is not known: no number, or a later timeline whose history could not be read.
    /// A voter that recorded half a pair would refuse the very same server for ever once the other half can be read.
    /// </summary>
    public bool IsUnknown => Timeline == 0 || (Timeline > 1 && SwitchLsn == default);

    public override string ToString() => IsUnknown ? "?" : $"{Timeline}@{SwitchLsn}";
}

/// <summary>PostgreSQL's <c>system_identifier</c> from pg_control: one per initdb. Zero is unknown.</summary>
public readonly record struct SystemId(ulong Value)
{
    public bool IsUnknown => Value == 0;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
