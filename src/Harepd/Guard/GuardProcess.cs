using Harepd.Clock;
using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Runtime;
using Microsoft.Extensions.Logging;

namespace Harepd.Guard;

/// <summary>
/// The guard (R12): a process of its own that shuts this node's write gate by the lease's deadline, whatever state the daemon is in. It has the
/// means of the fence and none of the daemon's other rooms; one guard a node, kept by a lock.
/// </summary>
internal static class GuardProcess
{
    /// <summary>Runs on the calling thread until stopped or no longer needed. False when another guard has the node.</summary>
    public static bool Run(HarepdConfig config, ILoggerFactory logs, CancellationToken stop)
    {
        var log = logs.CreateLogger("Guard");
        var path = Path.Combine(config.RunDir, "guard.lock");
        Directory.CreateDirectory(config.RunDir);
        File.AppendAllText(path, "");
        using var only = FileLock.TryTake(path, BootClock.Now, out _);
        if (only is null)
        {
            return false;
        }

        using var page = GuardPage.Open(config.RunDir);
        using var steering = new Steering(config, () => Instant.Zero, log);
        using var fence = new FenceParty(config, steering);
        fence.Rehearse(BootClock.Now + TimeSpan.FromSeconds(2));
        var watch = new GuardWatch(page, Fence, config.Lease.FenceBudget / 4, pid => ProcessLives(pid));
        log.LogInformation(new EventId(175, "GuardStarted"), "the guard looks at the lease of {Node}", config.NodeName);
        watch.Run(stop);
        return true;

        bool Fence(Term term, Instant deadline)
        {
            var outcome = fence.Fence(term, deadline, mayStop: true, "the guard fired: the daemon did not renew and did not fence");
            log.LogError(new EventId(176, "GuardFired"), "the guard fenced term {Term}: {Detail}", term.Value, outcome.Detail);
            return outcome.IsConfirmed;
        }
    }

    private static bool ProcessLives(int pid) => pid > 0 && Directory.Exists($"/proc/{pid}");
}
