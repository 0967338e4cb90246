using System.CommandLine;
using Harepd.Config;
using Harepd.Runtime;

namespace Harepd.Cli;

/// <summary><c>harepd timeline -f FILE</c>: what this node's voter remembers over a power cut, and an operator's word where it remembers nothing.</summary>
internal static class TimelineCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var trust = new Option<bool>("--trust") { Description = "Let this voter vote although nobody could tell it what it has forgotten" };
        var command = new Command("timeline", "Show the last timeline that this node's voter has noted; vouch for it when it is lost.") { trust };
        manual.Add(command, """
            A voter notes the timeline of each primary on its disk (stateDir) and never votes for an older one. One whose disk was lost hears what all other
            members have noted, and votes for nobody before; the daemon says so. Where a member is gone for good, look that the server which is to be the
            primary is on the highest timeline that ever was (pg_controldata), then say --trust on this node and restart its daemon. The word counts for one start.
            Exit codes: 0 done, 69 the state folder cannot be read or written, 78 wrong configuration.

            Example:
              harepd timeline -f /etc/harepd.yml
              harepd timeline --trust -f /etc/harepd.yml && systemctl restart harepd
            """);
        command.SetAction(parsed => ConfigFile.Read(parsed, file, DaemonMode.ServerOnly, out var exitCode) is { } read
            ? Run(read.Config, parsed.GetValue(trust), parsed.InvocationConfiguration)
            : exitCode);
        return command;
    }

    private static int Run(HarepdConfig config, bool isTrusted, InvocationConfiguration streams)
    {
        try
        {
            var noted = TimelineFile.Read(config.StateDir);
            streams.Output.WriteLine(noted.IsNone ? "no timeline is noted" : $"timeline {noted.Point} of system {noted.System} is noted");
            if (!isTrusted)
            {
                return ExitCodes.Ok;
            }

            if (!noted.IsNone)
            {
                streams.Output.WriteLine("nothing was lost: --trust is not needed");
                return ExitCodes.Ok;
            }

            if (TimelineTrust.Give(config.StateDir) is { } error)
            {
                streams.Error.WriteLine(error);
                return ExitCodes.Unavailable;
            }

            streams.Output.WriteLine("the next start of the daemon votes without having heard the others");
            return ExitCodes.Ok;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            streams.Error.WriteLine(failure.Message);
            return ExitCodes.Unavailable;
        }
    }
}
