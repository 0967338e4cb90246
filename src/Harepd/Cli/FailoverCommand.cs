using System.CommandLine;
using Harepd.Config;
using Harepd.Control;

namespace Harepd.Cli;

/// <summary><c>harepd failover -f FILE</c> and <c>harepd accept-loss</c>: this node's standby takes over from a primary that is gone, because an operator says so.</summary>
internal static class FailoverCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var to = new Option<string?>("--to") { Description = "Node name of the standby that takes over: this node, said once more to be sure", HelpName = "NODE" };
        var acceptLoss = new Option<bool>("--accept-loss") { Description = "What the standby lacks, or may lack, of the last primary may be lost" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only the checks and the possible loss; nothing is changed" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("failover", "Promote this node's standby although it would not be by itself.") { to, acceptLoss, dryRun, json };
        manual.Add(command, """
            Runs on the standby's host, as root or the daemon's own user, where failover.manager is harepd and nobody holds the lease. It lifts
            noFailover, onPossibleLoss, pauses and waiting times, and with --accept-loss maxLagBytes and what is not known. It lifts nothing that
            protects: the lease is asked for and the gate opened as ever, and a primary that lives with an open gate is not replaced. Exit
            codes: 0 this node is the primary (or could be, with --dry-run), 69 no daemon answers, 75 refused, 70 not done in time.

            Examples:
              harepd failover -f /etc/harepd.yml --to node_2 --dry-run
              harepd failover -f /etc/harepd.yml --to node_2 --accept-loss
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.ClientOnly, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            if (parsed.GetValue(to) is { } name && name != read.Config.NodeName)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"this node is {read.Config.NodeName}: order the failover on {name} itself");
                return ExitCodes.Temporary;
            }

            var request = new ControlRequest("failover", DryRun: parsed.GetValue(dryRun), AcceptsLoss: parsed.GetValue(acceptLoss));
            return await ControlText.FollowAsync(read.Config.RunDir, request, parsed.GetValue(json), parsed.InvocationConfiguration, stop);
        });
        return command;
    }

    /// <summary><c>harepd accept-loss</c>: the same for a standby that waits for it (failover.onPossibleLoss: readOnly).</summary>
    public static Command BuildAcceptLoss(Option<string?> file, Manual manual)
    {
        var command = new Command("accept-loss", "Let a standby that waits because of a possible loss take over.");
        manual.Add(command, """
            Runs on the standby's host, as root or the daemon's own user: harepd failover --accept-loss, under the name that harepd status and
            failover.onPossibleLoss give it. harepd dataloss shows what is accepted. Exit codes: as harepd failover.

            Example:
              harepd accept-loss -f /etc/harepd.yml
            """);
        command.SetAction(async (parsed, stop) => ConfigFile.Read(parsed, file, DaemonMode.ClientOnly, out var exitCode) is { } read
            ? await ControlText.FollowAsync(read.Config.RunDir, new ControlRequest("failover", AcceptsLoss: true), isJson: false, parsed.InvocationConfiguration, stop)
            : exitCode);
        return command;
    }
}
