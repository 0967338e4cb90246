using System.CommandLine;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core;

namespace Harepd.Cli;

/// <summary><c>harepd restart -f FILE</c>: restarts PostgreSQL on the primary while its clients wait, and nobody takes over.</summary>
internal static class RestartCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var timeout = new Option<string>("--timeout")
        {
            Description = "How long the server may take to stop, half of it; new clients wait no longer than this; default 10s",
            HelpName = "DURATION",
            DefaultValueFactory = _ => "10s",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("restart", "Restart PostgreSQL on the primary while clients wait.") { timeout, dryRun, json };
        manual.Add(command, """
            Runs on the primary's host, as root or the daemon's own user, where failover.manager is harepd. The daemon makes a checkpoint, lets new
            clients wait at HAProxy, shuts the gate, stops PostgreSQL, starts it again and opens; the lease is kept all along, so nobody takes
            over. Sessions that are open end. A server that does not come up again is replaced like any other that is lost. Exit codes: 0
            restarted (or possible, with --dry-run), 69 no daemon answers, 75 refused, or restarted with trouble, 70 failed: see harepd status.

            Example:
              harepd restart -f /etc/harepd.yml
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

            var request = new ControlRequest("restart", PauseMs: pause.Value.TotalMilliseconds, DryRun: parsed.GetValue(dryRun));
            return await ControlText.FollowAsync(read.Config.RunDir, request, parsed.GetValue(json), parsed.InvocationConfiguration, stop);
        });
        return command;
    }
}
