using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Files;

/// <summary>
/// An exclusive advisory lock (flock) between threads and processes, held until disposed or until the process dies, however it dies.
/// Taken on a folder it needs no file of its own, which a base backup would copy or a package remove.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private int _descriptor;

    private FileLock(int descriptor) => _descriptor = descriptor;

    /// <summary>
    /// Takes the lock on an existing file or folder, trying until <paramref name="deadline"/> (boot-time clock) on the calling thread.
    /// </summary>
    /// <returns>The lock, or null with one sentence why: held by somebody else until the deadline, or the path cannot be opened.</returns>
    public static FileLock? TryTake(string path, Instant deadline, out string? error)
    {
        var descriptor = Posix.Open(path, Posix.ReadOnly | Posix.CloseOnExec, 0);
        if (descriptor < 0)
        {
            error = FileResult.Failed("opening for the lock", path).Error;
            return null;
        }

        while (Posix.Flock(descriptor, Posix.LockExclusiveNow) != 0)
        {
            var (number, text) = Posix.LastError;
            var waits = number is Posix.WouldBlock or Posix.Interrupted;
            if (!waits || BootClock.Now >= deadline)
            {
                _ = Posix.Close(descriptor);
                error = waits ? $"another process holds the lock on {path}" : $"locking {path}: {text}";
                return null;
            }

            // flock has no timed form; a millisecond is short against every budget that waits here and costs nothing.
            Thread.Sleep(1);
        }

        error = null;
        return new FileLock(descriptor);
    }

    public void Dispose()
    {
        var descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = Posix.Close(descriptor);
        }
    }
}
