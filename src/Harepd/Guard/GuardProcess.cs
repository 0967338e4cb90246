using System.Threading.Channels;
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
    /// <summary>0600: read and written by its owner alone.</summary>
    private const uint OwnersFile = 0x180;
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(3);

    /// <summary>Runs on the calling thread until stopped or no longer needed. False when another guard has the node.</summary>
    /// <param name="config">As the daemon has it.</param>
    /// <param name="logs">The console; the guard keeps no file.</param>
    /// <param name="reloads">One item each time the configuration is to be read again.</param>
    /// <param name="stop">Ends the guard once nothing is armed.</param>
    public static bool Run(HarepdConfig config, ILoggerFactory logs, ChannelReader<bool> reloads, CancellationToken stop)
    {
        var log = logs.CreateLogger("Guard");
        var path = Path.Combine(config.RunDir, "guard.lock");
        Directory.CreateDirectory(config.RunDir);
        // By the system call itself: .NET takes a lock on what it opens, and fails where another guard holds this one.
        _ = Posix.Close(Posix.Open(path, Posix.WriteOnly | Posix.Create | Posix.CloseOnExec, OwnersFile));
        using var page = GuardPage.Open(config.RunDir);
        // One that is leaving has the lock for a moment more.
        var now = BootClock.Now;
        using var only = FileLock.TryTake(path, now - page.GuardBeat < GuardPage.BeatLimit ? now : now + LeavingTime, out _);
        if (only is null)
        {
            return false;
        }

        var swapping = new Lock();
        var means = new Means(config, log);
        _ = ReloadAsync();
        // Ended by its last line alone: a guard that dies otherwise leaves the device counting, and the machine is reset.
        var hardware = config.Fence.WatchdogDevice is { } device
            ? new HardwareWatchdog(device, HardwareWatchdog.TimeoutFor(config.Lease.Duration, config.Lease.RenewInterval), log)
            : null;
        var watch = new GuardWatch(page, Fence, config.Lease.FenceBudget / 3, ProcessLives, hardware);
        log.LogInformation(new EventId(175, "GuardStarted"), "the guard looks at the lease of {Node}", config.NodeName);
        watch.Run(stop);
        hardware?.Off();
        return true;

        bool Fence(Term term, Instant deadline)
        {
            GateOutcome outcome;
            lock (swapping)
            {
                outcome = means.Fence.Fence(term, deadline, mayStop: true, "the guard fired: the daemon did not renew and did not fence");
            }

            log.LogError(new EventId(176, "GuardFired"), "the guard fenced term {Term}: {Detail}", term.Value, outcome.Detail);
            return outcome.IsConfirmed;
        }

        // A guard that goes on with the configuration of before is better than none: errors keep it.
        async Task ReloadAsync()
        {
            await foreach (var _ in reloads.ReadAllAsync(stop).ConfigureAwait(false))
            {
                if (ConfigReader.Read(config.File, DaemonMode.ClientOnly) is ConfigResult.Valid valid)
                {
                    // Made and rehearsed outside the lock: a fence waits for the exchange of two references at most.
                    var next = new Means(valid.Config, log);
                    Means old;
                    lock (swapping)
                    {
                        (old, means) = (means, next);
                    }

                    old.Dispose();
                }
            }
        }
    }

    private static bool ProcessLives(int pid) => pid > 0 && Directory.Exists($"/proc/{pid}");

    /// <summary>What the guard fences with. HAProxy is cut and then left alone: the routes are the daemon's, which may be back by then.</summary>
    private sealed class Means : IDisposable
    {
        private readonly Steering _steering;

        public Means(HarepdConfig config, ILogger log)
        {
            _steering = new Steering(config, () => Instant.Zero, log, keeps: false);
            Fence = new FenceParty(config, _steering);
            Fence.Rehearse(BootClock.Now + TimeSpan.FromSeconds(2));
        }

        public FenceParty Fence { get; }

        public void Dispose()
        {
            Fence.Dispose();
            _steering.Dispose();
        }
    }
}
