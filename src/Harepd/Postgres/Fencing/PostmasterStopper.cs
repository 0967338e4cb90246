using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres.Fencing;

/// <summary>
/// Stops a server at once. An immediate shutdown first; a postmaster that is stopped itself, or does not obey in half of the time, is killed with all its children, because
/// busy sessions outlive a killed postmaster and go on writing. Reads nothing that can hang on a process.
/// </summary>
internal static class PostmasterStopper
{
    /// <summary>Returns once every process of the server is gone, or with <see cref="PostmasterStop.Failed"/> at the deadline. Killing is tried even when it is late.</summary>
    /// <param name="folder">Where to look for the server.</param>
    /// <param name="known">The postmaster as it was last found; used while it lives, so that no disk is touched.</param>
    /// <param name="deadline">Boot-time clock.</param>
    public static PostmasterStop Stop(DataFolder folder, Postmaster? known, Instant deadline)
    {
        if (known?.IsAlive == true)
        {
            return Stop(known, deadline);
        }

        var search = folder.FindPostmaster(Instant.Min(deadline, BootClock.Now + TimeSpan.FromMilliseconds(20)));
        using var postmaster = search.Found;
        return postmaster is not null ? Stop(postmaster, deadline)
            : !search.IsCertain ? PostmasterStop.Failed
            : folder.Known is { } path && !KillAll(path, null, deadline) ? PostmasterStop.Failed
            : PostmasterStop.WasDown;
    }

    private static PostmasterStop Stop(Postmaster postmaster, Instant deadline)
    {
        // A stopped process takes no signal but the one that kills.
        var obeys = postmaster.Current is { IsStopped: false } && postmaster.Signal(Kernel.SigQuit) && postmaster.WaitEnd((deadline - BootClock.Now) * 2 / 3);
        return obeys && KillAll(postmaster.DataDirectory, null, deadline) ? PostmasterStop.Immediate
            : KillAll(postmaster.DataDirectory, postmaster, deadline) ? PostmasterStop.Killed
            : PostmasterStop.Failed;
    }

    private static bool KillAll(string dataDirectory, Postmaster? postmaster, Instant deadline)
    {
        // Stopped first, so that it forks nobody while its children are being collected.
        postmaster?.Signal(Kernel.SigStop);
        var children = postmaster is null ? [] : ServerSessions.LivingChildren(postmaster.Pid).ToList();
        postmaster?.Signal(Kernel.SigKill);
        children.ForEach(child => SessionEnder.SendTo(child, Kernel.SigKill));
        do
        {
            // What stands in the data folder is the server's, whoever its parent is by now.
            var left = FileFacts.Of(dataDirectory) is null
                ? [.. children.Where(child => ProcessFacts.Of(child.Pid) is { IsGone: false } now && now.IsSameAs(child))]
                : ServerSessions.OrphansIn(dataDirectory);
            if (left.Count == 0 && postmaster?.IsAlive != true)
            {
                return true;
            }

            foreach (var process in left)
            {
                SessionEnder.SendTo(process, Kernel.SigKill);
            }

            Thread.Sleep(1);
        }
        while (BootClock.Now < deadline);
        return false;
    }
}
