using Harepd.Logging;
using Serilog.Events;
using Serilog.Parsing;
using Xunit;

namespace Harepd.Tests.Logging;

public sealed class ConsoleFormatTests
{
    [Theory]
    [InlineData(LogEventLevel.Fatal, "<2>")]
    [InlineData(LogEventLevel.Error, "<3>")]
    [InlineData(LogEventLevel.Warning, "<4>")]
    [InlineData(LogEventLevel.Information, "<6>")]
    [InlineData(LogEventLevel.Debug, "<7>")]
    public void The_journal_gets_the_syslog_level_in_front_of_every_line(LogEventLevel level, string prefix)
    {
        var text = Written(ConsoleFormat.Journal, level, new InvalidOperationException("boom"));

        var lines = text.TrimEnd('\n').Split('\n');
        Assert.Equal($"{prefix}hello", lines[0]);
        Assert.Equal($"{prefix}    System.InvalidOperationException: boom", lines[1]);
    }

    [Fact]
    public void A_terminal_gets_a_short_line()
    {
        var text = Written(ConsoleFormat.Terminal, LogEventLevel.Warning, null);

        Assert.Matches("^\u001b\\[2m[0-9:.]{12}\u001b\\[0m \u001b\\[33mWRN\u001b\\[0m hello\n$", text);
    }

    [Fact]
    public void What_a_stranger_sent_cannot_forge_a_line()
    {
        var text = Written(ConsoleFormat.Journal, LogEventLevel.Information, null, "peer said \u001b[31mx\n<0>forged\r");

        Assert.Equal("<6>peer said ·[31mx\n<6>    <0>forged\n", text);
    }

    private static string Written(Action<LogEvent, TextWriter> format, LogEventLevel level, Exception? exception, string message = "hello")
    {
        var output = new StringWriter();
        var template = new MessageTemplate([new TextToken(message)]);
        format(new LogEvent(DateTimeOffset.UtcNow, level, exception, template, []), output);
        return output.ToString();
    }
}
