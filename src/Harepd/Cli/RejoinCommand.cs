using System.CommandLine;
using Harepd.Config;
using Harepd.Control;

namespace Harepd.Cli;

/// <summary><c>harepd rejoin -f FILE</c>: lets the daemon of this node make its server, an old primary that came back, a standby of the new one.</summary>
internal static class RejoinCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var command = new Command("rejoin", "Make an old primary that came back a standby of the new one.");
        manual.Add(command, """
            Runs on the old primary's host, as root or the daemon's own user, where failover.manager is harepd and failover.rejoin is
            advise, or after a rejoin that failed. The server is stopped, rewound with pg_rewind where it has what the new primary
            never got (which is kept under stateDir/rejoin), and started as a standby. Exit codes: 0 the daemon was asked, 69 it does
            not answer.

            Example:
              harepd rejoin -f /etc/harepd.yml
            """);
        command.SetAction(async (parsed, stop) => ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is { } read
            ? await ControlText.FollowAsync(read.Config.RunDir, new ControlRequest("rejoin"), isJson: false, parsed.InvocationConfiguration, stop)
            : exitCode);
        return command;
    }
}
