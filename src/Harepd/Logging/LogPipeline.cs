using Harepd.Config;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using ILogger = Microsoft.Extensions.Logging.ILogger;

namespace Harepd.Logging;

/// <summary>How the console is written.</summary>
internal enum ConsoleStyle
{
    /// <summary>Short lines with local time, for people.</summary>
    Terminal = 0,

    /// <summary>Lines that begin with their syslog level, <c>&lt;3&gt;</c>, for journald (sd-daemon(3)).</summary>
    Journal = 1,

    /// <summary>Nothing.</summary>
    Silent = 2,
}

/// <summary>
/// The log: Serilog behind <see cref="ILogger"/>, to the console and, when configured, as JSON lines to a rolling file. A call never blocks:
/// each destination has a bounded queue and a thread of its own, and what does not fit is counted and said later. Thread-safe.
/// </summary>
internal sealed class LogPipeline : IAsyncDisposable
{
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);
    private readonly List<BoundedSink> _sinks;
    private readonly RollingFile? _file;
    private readonly Logger _logger;
    private readonly SerilogLoggerFactory _factory;

    private LogPipeline(List<BoundedSink> sinks, RollingFile? file, bool verbose)
    {
        _sinks = sinks;
        _file = file;
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(verbose ? LogEventLevel.Debug : LogEventLevel.Information)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Npgsql", LogEventLevel.Warning);
        foreach (var sink in sinks)
        {
            configuration.WriteTo.Sink(sink);
        }

        _logger = configuration.CreateLogger();
        _factory = new SerilogLoggerFactory(_logger);
    }

    /// <summary>Makes the loggers of all rooms.</summary>
    public ILoggerFactory Factory => _factory;

    /// <summary>How many events were lost since the start because a destination was full, frozen or failing.</summary>
    public long Dropped => _sinks.Sum(sink => sink.Dropped);

    /// <summary>The style that suits this process's standard output.</summary>
    public static ConsoleStyle HostStyle => Console.IsOutputRedirected ? ConsoleStyle.Journal : ConsoleStyle.Terminal;

    /// <summary>Starts the log. Nothing is opened here: a file that cannot be opened is tried again, and its events are counted as lost.</summary>
    public static LogPipeline Start(LogsConfig logs, ConsoleStyle style, bool verbose = false)
    {
        List<BoundedSink> sinks = [];
        if (style != ConsoleStyle.Silent)
        {
            var format = style == ConsoleStyle.Terminal ? (Action<LogEvent, TextWriter>)ConsoleFormat.Terminal : ConsoleFormat.Journal;
            sinks.Add(new BoundedSink("log-console", new StreamDestination(Console.OpenStandardOutput(), format)));
        }

        RollingFile? file = null;
        if (logs.FilePath is { } path)
        {
            file = new RollingFile(path, logs.RotationTime, logs.MaxAge);
            sinks.Add(new BoundedSink("log-file", new FileDestination(file)));
        }

        return new LogPipeline(sinks, file, verbose);
    }

    /// <summary>Takes over new ages and opens the file anew, as SIGHUP promises; does not block.</summary>
    public void Reload(LogsConfig logs) => _file?.Reload(logs.RotationTime, logs.MaxAge);

    /// <summary>Writes what is queued, for at most two seconds each, then gives up.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var sink in _sinks)
        {
            await sink.CloseAsync(FlushTime).ConfigureAwait(false);
        }

        // Serilog disposes its sinks with the logger.
        _factory.Dispose();
        await _logger.DisposeAsync().ConfigureAwait(false);
    }
}
