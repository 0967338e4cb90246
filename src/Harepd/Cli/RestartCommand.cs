using System.CommandLine;
using Harepd.Config;
using Harepd.Control;

namespace Harepd.Cli;

/// <summary><c>harepd restart -f FILE</c>: restarts PostgreSQL on the primary while its clients wait, and nobody takes over.</summary>
internal static class RestartCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var timing = new MoveTiming("How long the server may take to stop, half of it; new clients wait no longer than this");
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var cancel = new Option<bool>("--cancel") { Description = "Take back a restart whose server has not been stopped yet" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("restart", "Restart PostgreSQL on the primary while clients wait.") { dryRun, cancel, json };
        timing.AddTo(command);
        manual.Add(command, """
            Runs on the primary's host, as root or the daemon's own user, where failover.manager is harepd. The daemon makes a checkpoint, lets new
            clients wait at HAProxy, shuts the gate, stops PostgreSQL, starts it again and opens; the lease is kept all along, so nobody takes
            over. Sessions that are open end. A server that does not come up again is replaced like any other that is lost. With --at the daemon
            keeps the order until then, as harepd switchover does. Exit codes: 0 restarted (or possible, or scheduled), 69 no daemon answers,
            75 refused, or restarted with trouble, 70 failed: see harepd status.

            Examples:
              harepd restart -f /etc/harepd.yml
              harepd restart -f /etc/harepd.yml --at 2026-12-06T03:30
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            if (await timing.ReadAsync(parsed) is not var (pause, after))
            {
                return ExitCodes.Usage;
            }

            var request = parsed.GetValue(cancel)
                ? new ControlRequest("cancel")
                : new ControlRequest("restart", PauseMs: pause.TotalMilliseconds, DryRun: parsed.GetValue(dryRun), AfterMs: after.TotalMilliseconds);
            return await ControlText.FollowAsync(read.Config.RunDir, request, parsed.GetValue(json), parsed.InvocationConfiguration, stop);
        });
        return command;
    }
}
