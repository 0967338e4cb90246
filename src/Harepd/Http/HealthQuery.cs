using System.Globalization;

namespace Harepd.Http;

/// <summary>The conditions in a health request's query: <c>?lag=16MB&amp;replication_state=streaming&amp;tag_dc=west</c>.</summary>
/// <param name="LagBytes">At most this far behind the holder; null sets no limit.</param>
/// <param name="ReplicationState">Wanted replication state; null for any.</param>
/// <param name="IsByReplay">The lag counts what is replayed rather than what is received.</param>
/// <param name="Tags">Tags that the node must carry with these values.</param>
internal sealed record HealthQuery(long? LagBytes, string? ReplicationState, bool IsByReplay, IReadOnlyList<(string Key, string Value)> Tags)
{
    /// <summary>How many entries a list has at most, the newest ones; null for the page's own bound.</summary>
    internal int? Last { get; init; }

    internal static readonly HealthQuery None = new(null, null, IsByReplay: false, []);

    private static readonly (string Unit, long Bytes)[] Units =
        [("TB", 1L << 40), ("GB", 1L << 30), ("MB", 1L << 20), ("kB", 1L << 10), ("B", 1), ("", 1)];

    /// <summary>Reads decoded pairs; unknown keys are ignored, and a lag that cannot be read sets no limit, as with Patroni.</summary>
    internal static HealthQuery From(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        long? lag = null;
        string? replicationState = null;
        var isByReplay = false;
        int? last = null;
        var tags = new List<(string, string)>();
        foreach (var (key, value) in pairs)
        {
            switch (key)
            {
                case "lag":
                    lag = Bytes(value);
                    break;
                case "last":
                    last = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : null;
                    break;
                case "replication_state":
                    replicationState = value;
                    break;
                case "mode":
                    isByReplay = value == "apply";
                    break;
                default:
                    if (key.StartsWith("tag_", StringComparison.Ordinal))
                    {
                        tags.Add((key[4..], value));
                    }

                    break;
            }
        }

        return new HealthQuery(lag, replicationState, isByReplay, tags) { Last = last };
    }

    /// <summary>Bytes of <c>1024</c>, <c>16kB</c>, <c>1.5GB</c>; null for anything else.</summary>
    internal static long? Bytes(string text)
    {
        text = text.Trim();
        foreach (var (unit, bytes) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
            {
                return decimal.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite,
                    CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue / bytes
                    ? (long)(number * bytes)
                    : null;
            }
        }

        return null;
    }
}
