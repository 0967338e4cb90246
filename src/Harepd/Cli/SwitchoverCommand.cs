using System.CommandLine;
using Harepd.Config;
using Harepd.Control;

namespace Harepd.Cli;

/// <summary><c>harepd switchover -f FILE</c>: makes another server the primary, in a planned way, and tells how it goes.</summary>
internal static class SwitchoverCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var to = new Option<string>("--to") { Description = "Node name of the standby that takes over; default: the best", HelpName = "NODE", DefaultValueFactory = _ => "" };
        var timing = new MoveTiming("How long clients may wait at most before it is taken back");
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks; nothing is changed" };
        var cancel = new Option<bool>("--cancel") { Description = "Take back a move whose server has not been stopped yet" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("switchover", "Make a standby the primary, in a planned way and without loss.") { to, dryRun, cancel, json };
        timing.AddTo(command);
        manual.Add(command, """
            Runs on the primary's host, as root or the daemon's own user, where failover.manager is harepd. The daemon checks, makes a
            checkpoint, lets new clients wait at HAProxy, shuts the gate, stops PostgreSQL, waits until the standby has everything,
            hands the lease over, and brings the old primary back as a standby. What fails before the hand-over is taken back: the
            old primary serves again. Ending this command does not end the move. A daemon that dies in
            the middle goes on when it is started again. With --at the daemon keeps the order until then, over its own restarts, and checks
            again; one that cannot be begun within a minute of its time is dropped. Exit codes: 0 moved (or possible, or scheduled), 69 no
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

            if (await timing.ReadAsync(parsed) is not var (pause, after))
            {
                return ExitCodes.Usage;
            }

            var request = parsed.GetValue(cancel)
                ? new ControlRequest("cancel")
                : new ControlRequest("switchover", parsed.GetValue(to)!, pause.TotalMilliseconds, parsed.GetValue(dryRun), AfterMs: after.TotalMilliseconds);
            return await ControlText.FollowAsync(read.Config.RunDir, request, parsed.GetValue(json), parsed.InvocationConfiguration, stop);
        });
        return command;
    }
}
