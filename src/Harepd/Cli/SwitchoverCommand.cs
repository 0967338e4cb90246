using System.CommandLine;
using System.Globalization;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core;

namespace Harepd.Cli;

/// <summary><c>harepd switchover -f FILE</c>: makes another server the primary, in a planned way, and tells how it goes.</summary>
internal static class SwitchoverCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var to = new Option<string>("--to") { Description = "Node name of the standby that takes over; default: the best", HelpName = "NODE", DefaultValueFactory = _ => "" };
        var timeout = new Option<string>("--timeout")
        {
            Description = "How long clients may wait at most before it is taken back; default 10s",
            HelpName = "DURATION",
            DefaultValueFactory = _ => "10s",
        };
        var at = new Option<string?>("--at") { Description = "When, ISO 8601 (local time without a zone), at most 7 days ahead; default now", HelpName = "TIME" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var cancel = new Option<bool>("--cancel") { Description = "Take back a move whose server has not been stopped yet" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("switchover", "Make a standby the primary, in a planned way and without loss.") { to, timeout, at, dryRun, cancel, json };
        manual.Add(command, """
            Runs on the primary's host, as root or the daemon's own user, where failover.manager is harepd. The daemon checks, makes a
            checkpoint, lets new clients wait at HAProxy, shuts the gate, stops PostgreSQL, waits until the standby has everything,
            hands the lease over, and brings the old primary back as a standby. What fails before the hand-over is taken back: the
            old primary serves again. Ending this command does not end the move. With --at the daemon keeps the order until then and
            checks again; one that is restarted meanwhile has forgotten it. Exit codes: 0 moved (or possible, or scheduled), 69 no
            daemon answers, 75 refused or taken back and this node serves, 70 failed: see harepd status.

            Examples:
              harepd switchover -f /etc/harepd.yml --dry-run
              harepd switchover -f /etc/harepd.yml --to node_2 --timeout 5s
              harepd switchover -f /etc/harepd.yml --at 2026-12-06T03:30
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            var pause = Units.Duration(parsed.GetValue(timeout)!, TimeSpan.FromSeconds(1), MoveOrder.LongestPause);
            if (pause.Problem is { } problem)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"--timeout: {problem}; {pause.Mend}");
                return ExitCodes.Usage;
            }

            var after = After(parsed.GetValue(at), TimeProvider.System.GetLocalNow());
            if (after.Problem is { } wrong)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"--at: {wrong}; {after.Mend}");
                return ExitCodes.Usage;
            }

            var request = parsed.GetValue(cancel)
                ? new ControlRequest("cancel")
                : new ControlRequest("switchover", parsed.GetValue(to)!, pause.Value.TotalMilliseconds, parsed.GetValue(dryRun), AfterMs: after.Value.TotalMilliseconds);
            return await ControlText.FollowAsync(read.Config.RunDir, request, parsed.GetValue(json), parsed.InvocationConfiguration, stop);
        });
        return command;
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
