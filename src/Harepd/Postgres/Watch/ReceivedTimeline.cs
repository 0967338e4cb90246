using System.Globalization;
using Harepd.Core.Model;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Which timeline a standby received where no receiver says so any more and pg_control does not say so yet: a stream that began and ended between two looks. The
/// receiver writes each timeline into segments of its own name, and the server fetches a timeline's history before it; a standby that went past the place where a
/// timeline left its own is refused that timeline by its primary, and never gets such a segment (<c>StartReplication</c>, <c>rescanLatestTimeLine</c>).
/// </summary>
internal static class ReceivedTimeline
{
    // How many timelines may have come and gone between two looks.
    private const uint Furthest = 8;
    private const ulong SegmentsSpan = 1UL << 32;

    /// <summary>The highest timeline whose segment has the last byte received; <paramref name="known"/> where there is none above it.</summary>
    /// <param name="known">What the server says of itself.</param>
    /// <param name="received">How far it received or replayed.</param>
    /// <param name="segmentBytes">wal_segment_size; zero where it is not known, and then nothing is found.</param>
    /// <param name="dataDirectory">Null where it is not known.</param>
    /// <param name="history">Reads where a timeline left its parent.</param>
    public static uint Above(uint known, Lsn received, uint segmentBytes, string? dataDirectory, TimelineHistory history)
    {
        if (dataDirectory is null || segmentBytes == 0 || received == default || known == 0)
        {
            return known;
        }

        for (var timeline = known + Furthest; timeline > known; timeline--)
        {
            if (File.Exists(Path.Combine(dataDirectory, TimelineHistory.NameOf(timeline)))
                && history.SwitchOf(timeline, dataDirectory) is var left && left != default && left < received
                && File.Exists(Path.Combine(dataDirectory, SegmentOf(timeline, received, segmentBytes))))
            {
                return timeline;
            }
        }

        return known;
    }

    /// <summary>The segment that holds the byte before a position, within the data folder (<c>XLogFileName</c>).</summary>
    internal static string SegmentOf(uint timeline, Lsn end, uint segmentBytes)
    {
        var (number, perSpan) = ((end.Value - 1) / segmentBytes, SegmentsSpan / segmentBytes);
        return string.Create(CultureInfo.InvariantCulture, $"pg_wal/{timeline:X8}{number / perSpan:X8}{number % perSpan:X8}");
    }
}
