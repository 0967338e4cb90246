using Harepd.Core.Model;
using Harepd.Postgres.Watch;
using Xunit;

namespace Harepd.Tests.Watch;

/// <summary>What lies in pg_wal tells of a stream that began and ended between two looks, and nothing else does.</summary>
public sealed class ReceivedTimelineTests : IDisposable
{
    private const uint Megabytes16 = 16 << 20;
    private static readonly Lsn Left = new(0x5000930);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("harepd-wal-");

    public ReceivedTimelineTests() => _folder.CreateSubdirectory("pg_wal");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_segment_of_a_later_timeline_that_has_the_last_byte_tells()
    {
        Put("00000002.history", "1\t0/5000930\tno recovery target specified\n");
        Put("000000020000000000000005", "");

        Assert.Equal(2u, Above(1, new Lsn(0x5000DB8)));
    }

    [Fact]
    public void The_highest_of_several_tells()
    {
        Put("00000002.history", "1\t0/4000000\tx\n");
        Put("00000003.history", "1\t0/4000000\tx\n2\t0/5000930\tx\n");
        Put("000000020000000000000005", "");
        Put("000000030000000000000005", "");

        Assert.Equal(3u, Above(1, new Lsn(0x5000DB8)));
    }

    [Fact]
    public void A_history_alone_tells_nothing()
    {
        Put("00000002.history", "1\t0/5000930\tx\n");

        Assert.Equal(1u, Above(1, new Lsn(0x5000DB8)));
    }

    [Fact]
    public void A_segment_that_the_standby_has_not_come_to_tells_nothing()
    {
        Put("00000002.history", "1\t0/5000930\tx\n");
        Put("000000020000000000000006", "");

        Assert.Equal(1u, Above(1, new Lsn(0x5000DB8)));
    }

    [Fact]
    public void Up_to_where_a_timeline_left_nothing_of_it_was_received()
    {
        Put("00000002.history", "1\t0/5000930\tx\n");
        Put("000000020000000000000005", "");

        Assert.Equal(1u, Above(1, Left));
    }

    [Fact]
    public void A_history_that_cannot_be_read_tells_nothing()
    {
        Put("00000002.history", "torn");
        Put("000000020000000000000005", "");

        Assert.Equal(1u, Above(1, new Lsn(0x5000DB8)));
    }

    [Theory]
    [InlineData(0x1_0000_0000UL, 16u << 20, "pg_wal/0000000200000000000000FF")]
    [InlineData(0x1_0000_0001UL, 16u << 20, "pg_wal/000000020000000100000000")]
    [InlineData(0x5000DB8UL, 1u << 20, "pg_wal/000000020000000000000050")]
    [InlineData(0x2_5000_0DB8UL, 1u << 30, "pg_wal/000000020000000200000001")]
    public void A_segment_is_named_as_postgres_names_it(ulong end, uint segmentBytes, string name) =>
        Assert.Equal(name, ReceivedTimeline.SegmentOf(2, new Lsn(end), segmentBytes));

    private uint Above(uint known, Lsn received) => ReceivedTimeline.Above(known, received, Megabytes16, _folder.FullName, new TimelineHistory());

    private void Put(string name, string text) => File.WriteAllText(Path.Combine(_folder.FullName, "pg_wal", name), text);
}
