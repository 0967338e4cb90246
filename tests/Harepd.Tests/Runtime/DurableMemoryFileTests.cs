using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Runtime;
using Harepd.Tests.Files;
using Harepd.Tests.Peers;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Runtime;

/// <summary>The node's memory on disk: by the calendar, set aside when damaged, never fatal.</summary>
public sealed class DurableMemoryFileTests : IDisposable
{
    private static readonly Instant Now = new(50_000_000_000_000);
    private readonly TemporaryFolder _folder = new();
    private readonly ListLog _log = new();

    public void Dispose() => _folder.Dispose();

    private DurableMemoryFile File => new(_folder.Path, _log);

    [Fact]
    public void What_is_kept_is_read_by_the_next_run()
    {
        var now = BootClock.Now;
        var memory = new DurableMemory { Failovers = [now - TimeSpan.FromMinutes(5)], CountedTerm = new Term(7), PauseNumber = 5, PausedUntil = now + TimeSpan.FromMinutes(10) };
        var file = File;
        file.Keep(memory with { PauseNumber = 4 });
        file.Keep(memory);

        Eventually.True(() => File.Read().PauseNumber == 5, "it is written");
        var read = File.Read();

        Assert.Equal(new Term(7), read.CountedTerm);
        Assert.InRange((now - Assert.Single(read.Failovers)).TotalSeconds, 298, 302);
        Assert.InRange((read.PausedUntil - now).TotalSeconds, 570, 602);
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("")]
    [InlineData("{\"Version\":1,\"Failovers\":7}")]
    public void A_damaged_one_is_set_aside_and_said(string text)
    {
        var path = _folder.File("node.json");
        System.IO.File.WriteAllText(path, text);

        Assert.Empty(File.Read().Failovers);

        Assert.True(System.IO.File.Exists(path + ".damaged"));
        Assert.Contains("set aside", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{\"Version\":2,\"Failovers\":[1],\"CountedTerm\":7}")]
    public void One_of_another_version_counts_for_nothing(string text)
    {
        System.IO.File.WriteAllText(_folder.File("node.json"), text);

        Assert.Equal((Term.None, 0), (File.Read().CountedTerm, File.Read().Failovers.Length));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_said_and_no_more()
    {
        Directory.CreateDirectory(_folder.File("node.json"));
        File.Keep(new DurableMemory { PauseNumber = 1 });

        Eventually.True(() => _log.Lines.Any(line => line.Contains("cannot be kept", StringComparison.Ordinal)), "it is said");
    }

    [Fact]
    public void A_calendar_that_was_set_back_makes_no_failover_of_the_future_and_no_endless_pause()
    {
        var kept = new KeptMemory(1, [2_000_000_000_000], 7, 2_000_000_000_000, 2_000_000_000_000).ToMemory(Now, unixMillis: 1_000_000_000_000);

        Assert.Equal(Now, Assert.Single(kept.Failovers));
        Assert.Equal(Now + FailoverPause.Longest, kept.PausedUntil);
    }

    [Fact]
    public void A_pause_that_is_over_is_over_and_failovers_before_the_boot_are_known()
    {
        var kept = new KeptMemory(1, [1_000_000_000_000 - 80_000_000], 7, 5, 999_999_999_999).ToMemory(new Instant(1_000_000_000), unixMillis: 1_000_000_000_000);

        Assert.Equal((5L, Instant.Zero), (kept.PauseNumber, kept.PausedUntil));
        Assert.Equal(new Instant(1_000_000_000) - TimeSpan.FromMilliseconds(80_000_000), Assert.Single(kept.Failovers));
    }

    [Fact]
    public void A_move_under_way_and_one_that_waits_are_kept_by_the_calendar()
    {
        var move = new KeptMove
        {
            Number = 5,
            To = new MemberId("b:1"),
            ToName = "b",
            Term = new Term(7),
            Timeline = new TimelinePoint(3, new Lsn(0x3000148)),
            System = new SystemId(ulong.MaxValue),
            End = new Lsn(0x4000029),
            Began = Now - TimeSpan.FromMinutes(1),
        };
        var memory = new DurableMemory { Move = move, Scheduled = new KeptSchedule("b", TimeSpan.FromSeconds(10), IsRestart: true, Now + TimeSpan.FromHours(1)) };

        // An hour and a minute later, after a boot.
        var (boot, later) = (new Instant(1_000_000_000), TimeSpan.FromMinutes(61));
        var read = KeptMemory.Of(memory, 1, Now, 1_000_000_000_000).ToMemory(boot, 1_000_000_000_000 + (long)later.TotalMilliseconds);

        Assert.Equal(move with { Began = boot - later - TimeSpan.FromMinutes(1) }, read.Move);
        Assert.Equal(memory.Scheduled with { Due = boot - TimeSpan.FromMinutes(1) }, read.Scheduled);
    }

    [Fact]
    public void A_move_that_makes_no_sense_and_one_beyond_what_may_be_ordered_count_for_nothing()
    {
        var kept = new KeptMemory(1, [], 0, 0, 0)
        {
            Move = new MoveNote(5, false, "", "b", 7, 3, 0, 1, 0, 0),
            Scheduled = new ScheduleNote("b", 10_000, false, 1_000_000_000_000 + (long)TimeSpan.FromDays(8).TotalMilliseconds),
        };

        var read = kept.ToMemory(Now, 1_000_000_000_000);

        Assert.Equal((null, null), (read.Move, read.Scheduled));
    }
}
