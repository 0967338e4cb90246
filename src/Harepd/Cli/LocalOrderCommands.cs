using System.CommandLine;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core;
using Harepd.Core.Model;

namespace Harepd.Cli;

/// <summary><c>harepd maintenance</c> and <c>harepd unfence</c>: what an operator orders of one node alone.</summary>
internal static class LocalOrderCommands
{
    public static Command BuildMaintenance(Option<string?> file, Manual manual)
    {
        var span = new Option<string?>("--for") { Description = "How long, at most 7 days", HelpName = "DURATION" };
        var off = new Option<bool>("--off") { Description = "End it before its time" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var command = new Command("maintenance", "Keep this node out of failovers and away from readers for a while.") { span, off, dryRun };
        manual.Add(command, """
            Runs on a standby's host, as root or the daemon's own user. Until then the node takes over nothing, not by an operator's order
            either, is not rejoined by itself, and no new readers are sent to it; those it has may stay. It ends by itself, outlasts
            restarts of the daemon, and harepd status shows it on all members. On the primary it is refused: harepd switchover first.
            Exit codes: 0 done (or possible, with --dry-run), 64 wrong usage, 69 no daemon answers, 75 refused.

            Examples:
              harepd maintenance -f /etc/harepd.yml --for 2h
              harepd maintenance -f /etc/harepd.yml --off
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (parsed.GetValue(off) == (parsed.GetValue(span) is not null))
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("either --for DURATION or --off");
                return ExitCodes.Usage;
            }

            if (parsed.GetValue(off))
            {
                return await OrderAsync(parsed, file, new ControlRequest("end-maintenance", DryRun: parsed.GetValue(dryRun)), stop);
            }

            return await SpanOf(parsed, parsed.GetValue(span)!) is { } wanted
                ? await OrderAsync(parsed, file, new ControlRequest("maintenance", PauseMs: wanted.TotalMilliseconds, DryRun: parsed.GetValue(dryRun)), stop)
                : ExitCodes.Usage;
        });
        return command;
    }

    public static Command BuildUnfence(Option<string?> file, Manual manual)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var command = new Command("unfence", "End a fence that was ordered for a while before its time.") { dryRun };
        manual.Add(command, """
            Runs on the host that was fenced by harepd fence --for, as root or the daemon's own user. The ordinary rules decide from then on: a
            standby gets its readers back, a primary asks for the lease, and an old one beside another holder stays shut. Exit codes: 0 done,
            69 no daemon answers, 75 refused.

            Example:
              harepd unfence -f /etc/harepd.yml
            """);
        command.SetAction((parsed, stop) => OrderAsync(parsed, file, new ControlRequest("unfence", DryRun: parsed.GetValue(dryRun)), stop));
        return command;
    }

    /// <summary>What <c>--for</c> says; null after what is wrong with it was said.</summary>
    internal static async Task<TimeSpan?> SpanOf(ParseResult parsed, string text)
    {
        var wanted = Units.Duration(text, TimeSpan.FromSeconds(1), LocalOrder.Longest);
        if (wanted.Problem is { } problem)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"--for: {problem}; {wanted.Mend}");
            return null;
        }

        return wanted.Value;
    }

    internal static async Task<int> OrderAsync(ParseResult parsed, Option<string?> file, ControlRequest request, CancellationToken stop, bool isJson = false) =>
        ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is { } read
            ? await ControlText.FollowAsync(read.Config.RunDir, request, isJson, parsed.InvocationConfiguration, stop)
            : exitCode;
}
