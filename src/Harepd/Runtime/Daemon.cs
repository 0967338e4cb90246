using System.Threading.Channels;
using Harepd.Cli;
using Harepd.Config;
using Harepd.Logging;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>The running daemon.</summary>
internal static class Daemon
{
    /// <summary>Runs until <paramref name="stop"/> is cancelled, or for one pass; the answer is an exit code.</summary>
    public static Task<int> RunAsync(
        HarepdConfig config, DaemonMode mode, bool once, LogPipeline log, ChannelReader<bool> reloads, CancellationToken stop)
    {
        log.Factory.CreateLogger("Harepd.Runtime").LogCritical("the daemon is not built in yet");
        return Task.FromResult(ExitCodes.Internal);
    }
}
