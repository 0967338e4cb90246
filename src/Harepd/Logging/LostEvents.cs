using Serilog.Events;
using Serilog.Parsing;

namespace Harepd.Logging;

/// <summary>The line that says how many events a destination lost.</summary>
internal static class LostEvents
{
    private static readonly MessageTemplate Template =
        new MessageTemplateParser().Parse("{Lost} log events are lost: this log was full, frozen or failing");

    public static LogEvent Say(long lost) => new(
        DateTimeOffset.UtcNow, LogEventLevel.Warning, null, Template, [new LogEventProperty("Lost", new ScalarValue(lost))]);
}
