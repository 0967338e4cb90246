using System.Globalization;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Where a timeline left its parent, from <c>pg_wal/0000000N.history</c>. PostgreSQL makes that file durable before a promoted server leaves
/// recovery, and a standby fetches it before it streams the timeline, so it is there when the timeline is. Kept until the file changes: a
/// re-cloned folder may hold another timeline of the same number. For one thread.
/// </summary>
internal sealed class TimelineHistory
{
    private const int LargestFile = 1 << 20;
    private string _path = "";
    private FileFacts? _facts;
    private Lsn _switch;

    /// <summary>The file's path within the data folder.</summary>
    public static string NameOf(uint timeline) => string.Create(CultureInfo.InvariantCulture, $"pg_wal/{timeline:X8}.history");

    /// <summary>The switch position of a timeline above 1; zero when the file cannot be read or makes no sense.</summary>
    public Lsn SwitchOf(uint timeline, string? dataDirectory)
    {
        if (dataDirectory is null)
        {
            return default;
        }

        var path = Path.Combine(dataDirectory, NameOf(timeline));
        var facts = FileFacts.Of(path);
        if (facts is null || facts != _facts || path != _path)
        {
            _switch = facts is { Size: <= LargestFile } && Read(path) is { } text ? Parse(text, timeline) : default;

            // Facts taken before the reading: a file replaced meanwhile is read again next time.
            (_path, _facts) = _switch == default ? ("", null) : (path, facts);
        }

        return _switch;
    }

    /// <summary>
    /// The switch position in the last line, which names the direct parent: <c>parent TAB position TAB reason</c>. Zero where that is not so.
    /// Source: PostgreSQL manual, "Timelines"; <c>readTimeLineHistory</c>.
    /// </summary>
    public static Lsn Parse(string text, uint timeline)
    {
        var last = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault(line => line[0] != '#');
        var fields = last?.Split((char[])['\t', ' '], 3, StringSplitOptions.RemoveEmptyEntries) ?? [];
        return fields.Length >= 2
            && uint.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var parent) && parent > 0 && parent < timeline
            && Lsn.TryParse(fields[1], out var position)
                ? position
                : default;
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
