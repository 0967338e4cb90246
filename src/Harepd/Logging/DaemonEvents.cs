using Microsoft.Extensions.Logging;

namespace Harepd.Logging;

/// <summary>
/// What happens to the daemon itself, from its start to its stop. The ids are stable, because scripts and alerts count on them; a retired one
/// is never used again. Decisions have ids of their own, the numbers of <see cref="Core.Act.DecisionKind"/>.
/// </summary>
internal static partial class DaemonEvents
{
    /// <summary>The first line of every run.</summary>
    [LoggerMessage(9001, LogLevel.Information, "harepd {Version} starts as {Member} of cluster {Cluster}, mode {Mode}")]
    public static partial void Starting(this ILogger logger, string version, string member, string cluster, string mode);

    /// <summary>The last line of a run that ends by itself.</summary>
    [LoggerMessage(9002, LogLevel.Information, "harepd stops: {Reason}")]
    public static partial void Stopping(this ILogger logger, string reason);

    /// <summary>Something valid in the configuration that is worth a look; once at the start and once a reload.</summary>
    [LoggerMessage(9003, LogLevel.Warning, "{Note}")]
    public static partial void ConfigurationNote(this ILogger logger, string note);

    /// <summary>A key took effect by SIGHUP.</summary>
    [LoggerMessage(9010, LogLevel.Information, "Reloaded {Key}: {From} -> {To}")]
    public static partial void KeyReloaded(this ILogger logger, string key, string from, string to);

    /// <summary>A key waits for a restart.</summary>
    [LoggerMessage(9011, LogLevel.Warning, "{Key} stays {From} until a restart, because {Reason}; the file says {To}")]
    public static partial void KeyNeedsRestart(this ILogger logger, string key, string from, string to, string reason);

    /// <summary>The file has errors: nothing of it was taken over.</summary>
    [LoggerMessage(9012, LogLevel.Error, "Reload refused, the old configuration goes on: {Errors}")]
    public static partial void ReloadRefused(this ILogger logger, string errors);

    /// <summary>Logs what a reload came to, one event a key.</summary>
    public static void Reloaded(this ILogger logger, Config.ConfigDiff diff)
    {
        foreach (var change in diff.Reloaded)
        {
            logger.KeyReloaded(change.Path, change.Old, change.New);
        }

        foreach (var change in diff.NeedRestart)
        {
            logger.KeyNeedsRestart(change.Path, change.Old, change.New, change.RestartReason!);
        }
    }
}
