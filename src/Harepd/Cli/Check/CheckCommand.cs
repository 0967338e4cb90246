using System.CommandLine;
using Harepd.Config;

namespace Harepd.Cli.Check;

/// <summary><c>harepd check -f FILE</c>: validates, tries every door, prints the failover budget. Changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var serverOnly = new Option<bool>("--server-only") { Description = "Check for a node that runs --server-only: no PostgreSQL is needed" };
        var json = new Option<bool>("--json") { Description = "One JSON object instead of tables" };
        var command = new Command("check", "Validate the configuration, try every door, print the failover budget.")
        {
            serverOnly, json,
        };
        manual.Add(command, """
            The doors are PostgreSQL, repmgr's tables, pg_hba.conf, HAProxy, PgBouncer, the peers, the clock and the folders. Nothing is changed.
            Run it as the user that runs harepd, so that it sees the same rights.
            Exit codes: 0 all is well, 69 a door is shut, 78 the configuration has errors.

            Example:
              runuser -u postgres -- harepd check -f /etc/harepd.yml
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (parsed.GetValue(file) is not { Length: > 0 } path)
            {
                return ConfigFile.Missing(parsed);
            }

            var report = await InspectAsync(path, parsed.GetValue(serverOnly) ? DaemonMode.ServerOnly : DaemonMode.Both, stop);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                CheckJson.Write(report, output);
            }
            else
            {
                CheckText.Write(report, report.Config is null ? parsed.InvocationConfiguration.Error : output);
            }

            return report.ExitCode;
        });
        return command;
    }

    private static async Task<CheckReport> InspectAsync(string path, DaemonMode mode, CancellationToken stop)
    {
        switch (ConfigReader.Read(path, mode))
        {
            case ConfigResult.Valid(var config, var notes):
                return new CheckReport(path, config, [], notes, [.. await Doors.TryAllAsync(config, mode, stop)]);
            case ConfigResult.Invalid(var errors):
                return new CheckReport(path, null, errors, [], []);
            default:
                throw new InvalidOperationException("a configuration is valid or invalid");
        }
    }
}
