using System.CommandLine;
using Harepd.Config;
using Harepd.Hooks;
using Harepd.Logging;
using Harepd.Runtime;
using Microsoft.Extensions.Logging;

namespace Harepd.Cli;

/// <summary><c>harepd -f FILE [--server-only | --client-only] [--once]</c>: the daemon.</summary>
internal static class RunCommand
{
    public static RootCommand Build(Option<string?> file, Manual manual, HostSignals signals)
    {
        var serverOnly = new Option<bool>("--server-only") { Description = "Answer and vote only: a witness, or the server half of a node" };
        var clientOnly = new Option<bool>("--client-only") { Description = "Observe, decide and act only; a --server-only process beside it votes" };
        var once = new Option<bool>("--once") { Description = "One pass of observing, asking, deciding and acting, then exit" };
        var verbose = new Option<bool>("--verbose") { Description = "Log what is only of interest while looking for a fault" };
        var root = new RootCommand("Votes with its peers on the true PostgreSQL primary and steers clients to it.")
        {
            serverOnly, clientOnly, once, verbose,
        };
        manual.Add(root, """
            Without a command it runs as the daemon, both halves or one of them, until SIGTERM; SIGHUP reloads the file.
            Exit codes: 0 done, 64 wrong usage, 69 unavailable, 70 internal fault, 75 try again, 78 wrong configuration.

            Examples:
              harepd -f /etc/harepd.yml                  a data node
              harepd -f /etc/harepd.yml --server-only    a witness
              harepd check -f /etc/harepd.yml            what would go wrong, and how fast a failover is
            """);
        root.Validators.Add(result =>
        {
            if (result.GetValue(serverOnly) && result.GetValue(clientOnly))
            {
                result.AddError("'--server-only' and '--client-only' exclude each other; give neither for both.");
            }

            if (result.GetValue(serverOnly) && result.GetValue(once))
            {
                result.AddError("'--once' asks for one pass of the client half, which '--server-only' leaves out.");
            }
        });
        root.SetAction((parsed, _) =>
        {
            var mode = parsed.GetValue(serverOnly) ? DaemonMode.ServerOnly : parsed.GetValue(clientOnly) ? DaemonMode.ClientOnly : DaemonMode.Both;
            return ConfigFile.Read(parsed, file, mode, out var exitCode) is { } read
                ? RunAsync(read, mode, parsed.GetValue(once), parsed.GetValue(verbose), signals)
                : Task.FromResult(exitCode);
        });
        return root;
    }

    private static async Task<int> RunAsync(ConfigResult.Valid read, DaemonMode mode, bool once, bool verbose, HostSignals signals)
    {
        await using var log = LogPipeline.Start(read.Config.Logs, LogPipeline.HostStyle, verbose);
        var logger = log.Factory.CreateLogger("Harepd");
        logger.Starting(VersionCommand.Version, read.Config.Self.ToString(), read.Config.Cluster, mode.ToString());
        foreach (var note in read.Notes)
        {
            logger.ConfigurationNote(note);
        }

        foreach (var (key, path) in read.Config.Hooks.Given)
        {
            if (HookFile.WhyNotRunnable(path) is { } reason)
            {
                logger.ConfigurationNote($"hooks.{key} cannot be run: {reason}");
            }
        }

        return await Daemon.RunAsync(read.Config, mode, once, log, signals);
    }
}
