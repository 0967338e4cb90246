using System.Globalization;
using Serilog.Events;

namespace Harepd.Logging;

/// <summary>The two ways to write an event to the console.</summary>
internal static class ConsoleFormat
{
    private const string Dim = "\u001b[2m";
    private const string Plain = "\u001b[0m";

    /// <summary><c>12:03:04.123 INF message</c>, warnings and errors in colour, exceptions on lines of their own.</summary>
    public static void Terminal(LogEvent logEvent, TextWriter output)
    {
        var (name, colour) = logEvent.Level switch
        {
            LogEventLevel.Fatal => ("FTL", "\u001b[1;31m"),
            LogEventLevel.Error => ("ERR", "\u001b[31m"),
            LogEventLevel.Warning => ("WRN", "\u001b[33m"),
            LogEventLevel.Information => ("INF", "\u001b[32m"),
            _ => ("DBG", Dim),
        };
        output.Write(string.Create(CultureInfo.InvariantCulture, $"{Dim}{logEvent.Timestamp.LocalDateTime:HH:mm:ss.fff}{Plain} {colour}{name}{Plain} "));
        foreach (var line in Lines(logEvent))
        {
            output.Write(line);
            output.Write('\n');
        }
    }

    /// <summary>Every line with its syslog level in front, so that journald files it under that level.</summary>
    public static void Journal(LogEvent logEvent, TextWriter output)
    {
        var level = logEvent.Level switch
        {
            LogEventLevel.Fatal => "<2>",
            LogEventLevel.Error => "<3>",
            LogEventLevel.Warning => "<4>",
            LogEventLevel.Information => "<6>",
            _ => "<7>",
        };
        foreach (var line in Lines(logEvent))
        {
            output.Write(level);
            output.Write(line);
            output.Write('\n');
        }
    }

    // A message may quote what a stranger sent: control characters must neither forge a line, hence the indentation, nor reach a terminal.
    private static IEnumerable<string> Lines(LogEvent logEvent)
    {
        var message = MessageText.Of(logEvent).Split('\n');
        yield return Printable(message[0]);
        foreach (var line in message.Skip(1).Concat(logEvent.Exception?.ToString().Split('\n') ?? []))
        {
            yield return "    " + Printable(line.TrimEnd());
        }
    }

    private static string Printable(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '·' : c)) : text;
}
