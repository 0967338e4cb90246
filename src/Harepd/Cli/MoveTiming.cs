using System.CommandLine;
using System.Globalization;
using Harepd.Config;
using Harepd.Core;

namespace Harepd.Cli;

/// <summary><c>--at</c> and <c>--timeout</c>: when a planned move or a restart begins, and how long its clients may wait.</summary>
internal sealed class MoveTiming(string timeoutMeans)
{
    private readonly Option<string> _timeout = new("--timeout") { Description = $"{timeoutMeans}; default 10s", HelpName = "DURATION", DefaultValueFactory = _ => "10s" };

    private readonly Option<string?> _at = new("--at") { Description = "When, ISO 8601 (local time without a zone), at most 7 days ahead; default now", HelpName = "TIME" };

    public void AddTo(Command command)
    {
        command.Options.Add(_timeout);
        command.Options.Add(_at);
    }

    /// <summary>The two as given; null after what is wrong with one was said.</summary>
    public async Task<(TimeSpan Pause, TimeSpan After)?> ReadAsync(ParseResult parsed)
    {
        var pause = Units.Duration(parsed.GetValue(_timeout)!, TimeSpan.FromSeconds(1), MoveOrder.LongestPause);
        var after = After(parsed.GetValue(_at), TimeProvider.System.GetLocalNow());
        foreach (var (name, problem, mend) in new[] { ("--timeout", pause.Problem, pause.Mend), ("--at", after.Problem, after.Mend) })
        {
            if (problem is not null)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"{name}: {problem}; {mend}");
                return null;
            }
        }

        return (pause.Value, after.Value);
    }

    /// <summary>How long from now; zero where nothing is said.</summary>
    internal static Parsed<TimeSpan> After(string? text, DateTimeOffset now)
    {
        if (text is null)
        {
            return Parsed<TimeSpan>.Good(TimeSpan.Zero);
        }

        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var at))
        {
            return Parsed<TimeSpan>.Bad($"{text} is no time", "such as 2026-12-06T03:30 or 2026-12-06T03:30:00+01:00");
        }

        return at <= now ? Parsed<TimeSpan>.Bad($"{at:O} is over", "a time to come")
            : at - now > MoveOrder.LongestDelay ? Parsed<TimeSpan>.Bad($"{at:O} is too far away", "within 7 days")
            : Parsed<TimeSpan>.Good(at - now);
    }
}
