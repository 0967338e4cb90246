using System.CommandLine;
using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Peers;

namespace Harepd.Cli;

/// <summary><c>harepd status -f FILE</c>: what the daemon of this node says of itself and of the others.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Command Build(Option<string?> file, Manual manual)
    {
        var json = new Option<bool>("--json") { Description = "One JSON object instead of a table" };
        var of = new Option<string?>("--of") { Description = "Ask another member instead of this node's daemon", HelpName = "HOST:PORT" };
        var command = new Command("status", "Show the lease, the gates and the servers as this node's daemon sees them.") { json, of };
        manual.Add(command, """
            Asks the daemon over gRPC, with the certificates of the file. Exit codes: 0 it answered, 69 it did not.

            Examples:
              harepd status -f /etc/harepd.yml
              harepd status -f /etc/harepd.yml --of 10.0.0.2:10000 --json
            """);
        command.SetAction(async (parsed, stop) =>
        {
            // A witness' file is as good as a data node's here.
            if (ConfigFile.Read(parsed, file, DaemonMode.ServerOnly, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            var member = parsed.GetValue(of) is { } other ? new MemberId(other) : read.Config.Self;
            if (AddressValues.Peer(member.Address).Problem is { } problem)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"{member}: {problem}");
                return ExitCodes.Usage;
            }

            var access = PeerAccess.Of(read.Config.Grpc);
            var probe = access.Options is { } options ? await PeerProbe.AskAsync(member, options, Patience, stop) : new PeerProbe.Failed(access.Error);
            if (probe is not PeerProbe.Told(var status))
            {
                var reason = probe is PeerProbe.Failed(var why) ? why : "it is no harepd of this generation";
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"{member} does not tell its state: {reason}");
                return ExitCodes.Unavailable;
            }

            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                StatusText.WriteJson(status, output);
            }
            else
            {
                StatusText.WriteTable(status, Terminal.For(output));
            }

            return ExitCodes.Ok;
        });
        return command;
    }
}
