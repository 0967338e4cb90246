using System.Text;
using Harepd.Logging;
using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.Logging;

public sealed class RollingFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string LogPath => Path.Combine(_folder.Path, "harepd.log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_young_file_is_continued_after_a_restart()
    {
        WriteFirstLine(TimeSpan.FromHours(1));

        Append("second", rotation: TimeSpan.FromHours(2));

        Assert.Equal(2, File.ReadAllLines(LogPath).Length);
        Assert.Empty(Rotated());
    }

    [Fact]
    public void A_file_whose_first_line_is_old_is_rotated_by_the_next_line()
    {
        WriteFirstLine(TimeSpan.FromHours(3));

        Append("second", rotation: TimeSpan.FromHours(2));

        Assert.Equal("second", Assert.Single(File.ReadAllLines(LogPath)));
        Assert.Contains("first", File.ReadAllText(Assert.Single(Rotated())), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_rotations_within_a_second_keep_both_files()
    {
        foreach (var _ in Enumerable.Range(0, 2))
        {
            WriteFirstLine(TimeSpan.FromHours(3));
            Append("next", rotation: TimeSpan.FromHours(2));
            File.Delete(LogPath);
        }

        Assert.Equal(2, Rotated().Length);
    }

    [Fact]
    public void A_first_line_that_is_not_ours_counts_from_now()
    {
        File.WriteAllText(LogPath, "plain text of the Go daemon\n");

        Append("second", rotation: TimeSpan.FromHours(2));

        Assert.Equal(2, File.ReadAllLines(LogPath).Length);
    }

    [Fact]
    public void Rotated_files_are_removed_by_the_age_of_their_last_line_and_no_other_file_is()
    {
        var old = Touch("harepd-20200101T000000Z.log", age: TimeSpan.FromDays(2));
        string[] kept =
        [
            Touch("harepd-20200102T000000Z.log", age: TimeSpan.FromHours(1)),
            Touch("harepd-old.log", age: TimeSpan.FromDays(9)),
            Touch("harepd-20200101T000000Z.log.gz", age: TimeSpan.FromDays(9)),
            Touch("other-20200101T000000Z.log", age: TimeSpan.FromDays(9)),
        ];
        using var file = new RollingFile(LogPath, TimeSpan.FromDays(1), TimeSpan.FromDays(1));

        file.Tidy();

        Assert.False(File.Exists(old));
        Assert.All(kept, path => Assert.True(File.Exists(path), path));
    }

    [Fact]
    public void No_more_than_a_hundred_rotated_files_are_kept()
    {
        for (var i = 0; i < 105; i++)
        {
            Touch($"harepd-20260101T{i / 60:00}{i % 60:00}00Z.log", age: TimeSpan.Zero);
        }

        using var file = new RollingFile(LogPath, TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        file.Tidy();

        Assert.Equal(100, Rotated().Length);
        Assert.DoesNotContain(Rotated(), path => path.EndsWith("T000400Z.log", StringComparison.Ordinal));
    }

    [Fact]
    public void A_reload_opens_the_file_anew_for_those_who_rotate_by_other_means()
    {
        using var file = new RollingFile(LogPath, TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        file.Append("one\n"u8);
        File.Move(LogPath, LogPath + ".1");

        file.Reload(TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        file.Append("two\n"u8);

        Assert.Equal("two\n", File.ReadAllText(LogPath));
        Assert.Equal("one\n", File.ReadAllText(LogPath + ".1"));
    }

    [Fact]
    public void Others_may_not_read_the_log()
    {
        Append("one", TimeSpan.FromDays(1));

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(LogPath) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite));
    }

    private void Append(string line, TimeSpan rotation)
    {
        using var file = new RollingFile(LogPath, rotation, TimeSpan.FromDays(365));
        file.Append(Encoding.UTF8.GetBytes(line + "\n"));
    }

    private void WriteFirstLine(TimeSpan age) =>
        File.WriteAllText(LogPath, $"{{\"time\":\"{DateTime.UtcNow - age:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\",\"message\":\"first\"}}\n");

    private string[] Rotated() => Directory.GetFiles(_folder.Path, "harepd-2*.log");

    private string Touch(string name, TimeSpan age)
    {
        var path = Path.Combine(_folder.Path, name);
        File.WriteAllText(path, "x\n");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow - age);
        return path;
    }
}
