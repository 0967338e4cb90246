using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Control;

/// <summary>One at a time stops, starts, rewinds or replaces this node's server: the daemon's lane, or a command beside it.</summary>
internal static class ServerLock
{
    private const string FileName = "server.lock";

    /// <summary>0600: read and written by its owner alone.</summary>
    private const uint OwnersFile = 0x180;

    /// <summary>Takes it until disposed, or null and who has it.</summary>
    /// <param name="runDir">Of this node.</param>
    /// <param name="until">Boot-time clock.</param>
    /// <param name="error">Why not.</param>
    public static FileLock? TryTake(string runDir, Instant until, out string? error)
    {
        var path = Path.Combine(runDir, FileName);
        // By the system call itself: .NET takes a lock on what it opens.
        _ = Posix.Close(Posix.Open(path, Posix.WriteOnly | Posix.Create | Posix.CloseOnExec, OwnersFile));
        return FileLock.TryTake(path, until, out error);
    }
}
