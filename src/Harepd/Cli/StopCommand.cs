using System.CommandLine;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core;
using Harepd.Core.Model;

namespace Harepd.Cli;

/// <summary><c>harepd stop</c> and <c>harepd start</c>: PostgreSQL of this node stopped by an operator's order, and started again.</summary>
internal static class StopCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var timeout = Timeout("How long the server may take to stop", "10s");
        var span = new Option<string?>("--for") { Description = "On the primary: how long the lease is kept meanwhile, at most 7 days", HelpName = "DURATION" };
        var acceptOutage = new Option<bool>("--accept-outage") { Description = "On the primary: nobody can write until then, and nobody takes over" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("stop", "Stop PostgreSQL of this node, and let the daemon know.") { timeout, span, acceptOutage, dryRun, json };
        manual.Add(command, """
            Runs on the server's host, as root or the daemon's own user. On a standby the gate is shut and the server stopped (fast); it stays
            down, and harepd status says why, until harepd start, or until somebody else starts it. On the primary it is refused without
            --accept-outage --for: then checkpoint, gate, stop, and the lease is kept for so long, so that nobody takes over; afterwards it
            is given up, and another server takes over as after any stop. Exit codes: 0 stopped (or possible, with --dry-run), 64 wrong
            usage, 69 no daemon answers, 75 refused or taken back, 70 failed: see harepd status.

            Examples:
              harepd stop -f /etc/harepd.yml
              harepd stop -f /etc/harepd.yml --accept-outage --for 15m
            """);
        command.SetAction(async (parsed, stop) =>
        {
            var wanted = parsed.GetValue(span) is { } text ? await LocalOrderCommands.SpanOf(parsed, text) : TimeSpan.Zero;
            if (wanted is not { } lasting || await LimitOf(parsed, timeout, MoveOrder.LongestPause) is not { } limit)
            {
                return ExitCodes.Usage;
            }

            if (parsed.GetValue(acceptOutage) != (lasting > TimeSpan.Zero))
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("--accept-outage and --for belong together: say for how long nobody may be able to write");
                return ExitCodes.Usage;
            }

            var request = new ControlRequest(
                "stop", PauseMs: lasting.TotalMilliseconds, DryRun: parsed.GetValue(dryRun), AcceptsOutage: parsed.GetValue(acceptOutage), TimeoutMs: limit.TotalMilliseconds);
            return await LocalOrderCommands.OrderAsync(parsed, file, request, stop, parsed.GetValue(json));
        });
        return command;
    }

    /// <summary><c>harepd start</c>.</summary>
    public static Command BuildStart(Option<string?> file, Manual manual)
    {
        var timeout = Timeout("How long the server may take to start, and the lease to come before", "60s");
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("start", "Start PostgreSQL of this node as what it was.") { timeout, dryRun, json };
        manual.Add(command, """
            Runs on the server's host, as root or the daemon's own user. A standby is started as one. A primary is started only under a lease,
            which is asked for first; where another server took its place it comes back as that one's standby, when it has nothing that the
            other never got. Otherwise the answer says what to do. It ends an order to stop. Exit codes: 0 started (or possible, with
            --dry-run), 69 no daemon answers, 75 refused, or started with trouble, 70 failed: see harepd status.

            Example:
              harepd start -f /etc/harepd.yml
            """);
        command.SetAction(async (parsed, stop) => await LimitOf(parsed, timeout, LocalOrder.LongestStart) is { } limit
            ? await LocalOrderCommands.OrderAsync(
                parsed, file, new ControlRequest("start", DryRun: parsed.GetValue(dryRun), TimeoutMs: limit.TotalMilliseconds), stop, parsed.GetValue(json))
            : ExitCodes.Usage);
        return command;
    }

    private static Option<string> Timeout(string means, string usual) => new("--timeout")
    {
        Description = $"{means}; default {usual}",
        HelpName = "DURATION",
        DefaultValueFactory = _ => usual,
    };

    private static async Task<TimeSpan?> LimitOf(ParseResult parsed, Option<string> timeout, TimeSpan longest)
    {
        var limit = Units.Duration(parsed.GetValue(timeout)!, TimeSpan.FromSeconds(1), longest);
        if (limit.Problem is { } problem)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"--timeout: {problem}; {limit.Mend}");
            return null;
        }

        return limit.Value;
    }
}
