using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Runtime;
using Xunit;

namespace Harepd.Tests.Runtime;

public sealed class TimelineFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-timeline-").FullName;

    private string FilePath => Path.Combine(_folder, "timeline");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static DurableTimeline On(uint timeline) => new(new SystemId(7_000_000_000_000_000_001), new TimelinePoint(timeline, new Lsn(0x3000148UL + timeline)));

    private DurableTimeline Reread()
    {
        using var file = TimelineFile.Open(_folder);
        return file.Value;
    }

    private void Write(params uint[] timelines)
    {
        using var file = TimelineFile.Open(_folder);
        Assert.All(timelines, timeline => Assert.True(file.TryWrite(On(timeline))));
    }

    [Fact]
    public void A_new_file_knows_no_timeline() => Assert.Equal(default, Reread());

    [Fact]
    public void The_last_timeline_written_is_read_again_by_the_next_run()
    {
        for (uint timeline = 2; timeline < 9; timeline++)
        {
            Write(timeline);
            Assert.Equal(On(timeline), Reread());
        }
    }

    [Theory]
    [InlineData(0, "{\"Sequence\":9,")]
    [InlineData(30, "9")]
    [InlineData(0, "garbage")]
    public void A_torn_write_leaves_the_timeline_before_it(int offset, string damage)
    {
        Write(2, 3);
        using (var stream = new FileStream(FilePath, FileMode.Open))
        {
            // The third record goes where the first was; the second, in the first slot, is the newest here.
            stream.Position = offset;
            stream.Write(System.Text.Encoding.UTF8.GetBytes(damage));
        }

        Assert.Equal(On(2), Reread());
        Write(4);
        Assert.Equal(On(4), Reread());
    }
}
