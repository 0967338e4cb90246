using System.Diagnostics;
using Harepd.Clock;
using Harepd.Files;
using Xunit;

namespace Harepd.Tests.Files;

public sealed class FileLockTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Only_one_holder_at_a_time_also_within_one_process()
    {
        using var first = FileLock.TryTake(_folder.Path, BootClock.Now + _patience, out var error);
        Assert.Null(error);

        var second = FileLock.TryTake(_folder.Path, BootClock.Now + TimeSpan.FromMilliseconds(20), out error);

        Assert.Null(second);
        Assert.Contains("another process holds the lock", error, StringComparison.Ordinal);
        first!.Dispose();
        using var third = FileLock.TryTake(_folder.Path, BootClock.Now, out error);
        Assert.NotNull(third);
    }

    [Fact]
    public void The_lock_of_a_killed_process_is_free()
    {
        using var holder = Process.Start(new ProcessStartInfo("flock", [_folder.Path, "sh", "-c", "echo held; exec sleep 60"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        Assert.Equal("held", holder.StandardOutput.ReadLine());
        Assert.Null(FileLock.TryTake(_folder.Path, BootClock.Now, out _));

        holder.Kill(entireProcessTree: true);

        using var free = FileLock.TryTake(_folder.Path, BootClock.Now + _patience, out var error);
        Assert.Null(error);
    }

    [Fact]
    public void A_path_that_is_not_there_is_a_reason()
    {
        Assert.Null(FileLock.TryTake(_folder.File("absent"), BootClock.Now, out var error));
        Assert.Contains("absent", error, StringComparison.Ordinal);
    }
}
