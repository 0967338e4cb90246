using System.Threading.Channels;
using Harepd.Cli;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Logging;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// One run of the daemon, from the configuration to the exit code: start the node, say so to systemd, wait for what ends it, and leave nothing open.
/// </summary>
internal static class Daemon
{
    /// <summary>How long a clean stop may take before the gate is shut without the loop.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan HeartbeatLimit = TimeSpan.FromSeconds(2);

    /// <summary>Runs until stopped; the answer is one of <see cref="ExitCodes"/>.</summary>
    /// <param name="config">Validated.</param>
    /// <param name="mode">Which halves run in this process.</param>
    /// <param name="once">One pass of observing, asking, deciding and acting, then a clean stop: a write gate is never left open by a process that ends.</param>
    /// <param name="log">The log.</param>
    /// <param name="signals">Stop, reload and handover.</param>
    public static async Task<int> RunAsync(HarepdConfig config, DaemonMode mode, bool once, LogPipeline log, HostSignals signals)
    {
        var logger = log.Factory.CreateLogger("Harepd");
        var started = await Node.StartAsync(config, mode, log.Factory, signals.Stop);
        if (started.Node is not { } node)
        {
            logger.LogCritical(new EventId(101, "NotStarted"), "harepd cannot start: {Reason}", started.Error);
            return started.ExitCode;
        }

        await using (node)
        {
            var systemd = new SystemdNotifier(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
            using var heartbeat = Beat(systemd, node);
            systemd.Send("READY=1");
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(signals.Stop);
            var reloading = ReloadAsync(config, mode, log, logger, node, systemd, signals.Reloads, ending.Token);
            if (once)
            {
                await node.SettledAsync(config.Grpc.ConnectionDeadline, signals.Stop);
                logger.LogInformation(new EventId(102, "OnePass"), "one pass: gate {Gate}, {Reason}", node.Loop.State.Gate.Now, node.Loop.State.Gate.Reason);
                signals.AskToStop();
            }

            var exitCode = await WaitAsync(node, systemd, logger, signals);
            // A hand-over and a broken invariant end the daemon too, and neither is a stop.
            await ending.CancelAsync();
            await reloading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return exitCode;
        }
    }

    private static async Task<int> WaitAsync(Node node, SystemdNotifier systemd, ILogger logger, HostSignals signals)
    {
        await Task.WhenAny(node.Loop.Ended, WhenAsync(signals.Stop), WhenAsync(signals.Handover)).ConfigureAwait(false);
        if (node.Loop.Ended.IsFaulted)
        {
            logger.LogCritical(new EventId(103, "Broken"), node.Loop.Ended.Exception, "an invariant broke; the gate is shut and the daemon exits");
            node.FenceNow("an invariant of the daemon broke");
            return ExitCodes.Internal;
        }

        systemd.Send("STOPPING=1");
        if (signals.Handover.IsCancellationRequested)
        {
            node.Loop.Abandon();
            logger.LogInformation(new EventId(104, "HandedOver"), "everything is left as it is for the next run; the guard shuts the gate if none comes in time");
            return ExitCodes.Ok;
        }

        logger.Stopping("a signal asked for it");
        node.Stop("a signal asked for it");
        var ended = await Task.WhenAny(node.Loop.Ended, Task.Delay(StopLimit, CancellationToken.None)).ConfigureAwait(false);
        if (ended == node.Loop.Ended && node.Loop.Ended.IsCompletedSuccessfully)
        {
            node.Finish();
            return ExitCodes.Ok;
        }

        logger.LogError(new EventId(105, "StopLate"), "the clean stop took too long; the gate is shut without it, and the lease runs out by itself");
        node.FenceNow("the clean stop took too long");
        return ExitCodes.Internal;
    }

    private static async Task WhenAsync(CancellationToken token) =>
        await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Tells systemd that the daemon lives, only while the loop turns.</summary>
    private static Timer? Beat(SystemdNotifier systemd, Node node)
    {
        if (SystemdNotifier.WatchdogPeriod(Environment.GetEnvironmentVariable("WATCHDOG_USEC")) is not { } period)
        {
            return null;
        }

        return new Timer(
            _ =>
            {
                if (BootClock.Now - node.Loop.LastStep < HeartbeatLimit)
                {
                    systemd.Send("WATCHDOG=1");
                }
            },
            null,
            TimeSpan.Zero,
            period / 3);
    }

    private static async Task ReloadAsync(
        HarepdConfig config, DaemonMode mode, LogPipeline log, ILogger logger, Node node, SystemdNotifier systemd, ChannelReader<bool> reloads, CancellationToken stop)
    {
        await foreach (var _ in reloads.ReadAllAsync(stop).ConfigureAwait(false))
        {
            systemd.Send("RELOADING=1");
            switch (ConfigReader.Read(config.File, mode))
            {
                case ConfigResult.Valid valid:
                    var diff = ConfigDiff.Between(config, valid.Config);
                    config = diff.Effective;
                    logger.Reloaded(diff);
                    log.Reload(config.Logs);
                    node.Reconfigure(config);
                    break;
                case ConfigResult.Invalid invalid:
                    logger.ReloadRefused(string.Join("; ", invalid.Errors));
                    break;
                default:
                    break;
            }

            systemd.Send("READY=1");
        }
    }
}
