using System.CommandLine;
using Harepd.Config;
using Harepd.Guard;
using Harepd.Logging;

namespace Harepd.Cli;

/// <summary><c>harepd guard -f FILE</c>: the process that fences from outside the daemon (R12).</summary>
internal static class GuardCommand
{
    public static Command Build(Option<string?> file, HostSignals signals, Manual manual)
    {
        var command = new Command("guard", "Shut this node's write gate when the lease ends and the daemon does not.");
        manual.Add(command, """
            The daemon starts one by itself; one guard a node, the second ends at once with 75.

            Example:
              harepd guard -f /etc/harepd.yml
            """);
        command.SetAction(async (parsed, _) =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            await using var log = LogPipeline.Start(read.Config.Logs with { FilePath = null }, LogPipeline.HostStyle);
            return GuardProcess.Run(read.Config, log.Factory, signals.Reloads, signals.Stop) ? ExitCodes.Ok : ExitCodes.Temporary;
        });
        return command;
    }
}
