using System.CommandLine;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core.Share;

namespace Harepd.Cli;

/// <summary><c>harepd pause</c> and <c>harepd resume</c>: no automatic failover for a while, on all members; and again.</summary>
internal static class PauseCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var span = new Option<string>("--for") { Description = "How long, at most 7 days; default 1h", HelpName = "DURATION", DefaultValueFactory = _ => "1h" };
        var command = new Command("pause", "Let nobody take over by itself for a while.") { span };
        manual.Add(command, """
            Runs on a data node, as root or the daemon's own user, where failover.manager is harepd; it counts for all members that hear of
            it, and ends by itself. While it lasts no standby is promoted because a primary is gone, and no old primary is rejoined by
            itself. Leases, fences, steering, harepd switchover and harepd rejoin go on as ever. Exit codes: 0 the daemon was asked, 69 it
            does not answer.

            Example:
              harepd pause -f /etc/harepd.yml --for 30m
            """);
        command.SetAction(async (parsed, stop) =>
        {
            var wanted = Units.Duration(parsed.GetValue(span)!, TimeSpan.FromSeconds(1), FailoverPause.Longest);
            if (wanted.Problem is { } problem)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"--for: {problem}; {wanted.Mend}");
                return ExitCodes.Usage;
            }

            return await OrderAsync(parsed, file, new ControlRequest("pause", PauseMs: wanted.Value.TotalMilliseconds), stop);
        });
        return command;
    }

    /// <summary><c>harepd resume</c>.</summary>
    public static Command BuildResume(Option<string?> file, Manual manual)
    {
        var command = new Command("resume", "End a pause before its time.");
        manual.Add(command, """
            Runs on a data node, as root or the daemon's own user. Exit codes: 0 the daemon was asked, 69 it does not answer.

            Example:
              harepd resume -f /etc/harepd.yml
            """);
        command.SetAction((parsed, stop) => OrderAsync(parsed, file, new ControlRequest("resume"), stop));
        return command;
    }

    private static async Task<int> OrderAsync(ParseResult parsed, Option<string?> file, ControlRequest request, CancellationToken stop) =>
        ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is { } read
            ? await ControlText.FollowAsync(read.Config.RunDir, request, isJson: false, parsed.InvocationConfiguration, stop)
            : exitCode;
}
