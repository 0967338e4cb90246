using System.Globalization;
using System.Text;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Control;

/// <summary>
/// What of a data folder is this node's own and must outlive a pg_rewind, which takes every file from the other server: the configuration files at its top and the options
/// it was started with, kept in memory and beside, and the WAL that only this server has.
/// </summary>
internal sealed class LocalFiles(string data, string keepIn)
{
    private const int MostSegments = 64;
    private readonly Dictionary<string, byte[]> _configuration = [];

    /// <summary>Reads the configuration files, and copies them to the folder that keeps them.</summary>
    public void Keep()
    {
        Directory.CreateDirectory(keepIn);
        foreach (var path in Directory.EnumerateFiles(data, "*.conf").Concat(Directory.EnumerateFiles(data, "postmaster.opts")))
        {
            var bytes = File.ReadAllBytes(path);
            _configuration[path] = bytes;
            File.WriteAllBytes(Path.Combine(keepIn, Path.GetFileName(path)), bytes);
        }
    }

    /// <summary>Puts them back, whole; null, or the first that could not be.</summary>
    public string? Restore() => _configuration
        .Where(pair => !File.Exists(pair.Key) || !File.ReadAllBytes(pair.Key).AsSpan().SequenceEqual(pair.Value))
        .Select(pair => AtomicFile.Replace(pair.Key, pair.Value).Error)
        .FirstOrDefault(error => error is not null);

    /// <summary>Copies the WAL segments of a timeline from a position to another, at most 64; tells how many.</summary>
    public int KeepTail(uint timeline, Lsn from, Lsn to)
    {
        var begin = timeline.ToString("X8", CultureInfo.InvariantCulture);
        var segments = Directory.EnumerateFiles(Path.Combine(data, "pg_wal"), begin + "*").Where(path => Path.GetFileName(path).Length == 24).ToList();
        var bytes = segments.Count == 0 ? 1 : (ulong)Math.Max(1, new FileInfo(segments[0]).Length);
        var (first, last) = (NameOf(timeline, from, bytes), NameOf(timeline, to, bytes));
        var wanted = segments
            .Where(path => string.CompareOrdinal(Path.GetFileName(path), first) >= 0 && string.CompareOrdinal(Path.GetFileName(path), last) <= 0)
            .Order(StringComparer.Ordinal)
            .Take(MostSegments)
            .ToList();
        foreach (var segment in wanted)
        {
            File.Copy(segment, Path.Combine(keepIn, Path.GetFileName(segment)), overwrite: true);
        }

        return wanted.Count;
    }

    /// <summary>A note for the operator beside what was kept.</summary>
    public void Note(string text) => File.WriteAllText(Path.Combine(keepIn, "README"), text, Encoding.UTF8);

    /// <summary>The name of the segment that holds a position (PostgreSQL's <c>XLogFileName</c>).</summary>
    private static string NameOf(uint timeline, Lsn lsn, ulong segmentBytes)
    {
        var number = lsn.Value / segmentBytes;
        var perFile = Math.Max(1, 0x1_0000_0000UL / segmentBytes);
        return string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}{number / perFile:X8}{number % perFile:X8}");
    }
}
