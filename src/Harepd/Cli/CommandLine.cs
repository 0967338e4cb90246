using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Harepd.Cli.Check;

namespace Harepd.Cli;

/// <summary>The whole command line: the daemon itself without a command word, and the tools beside it.</summary>
internal static class CommandLine
{
    /// <summary>Parses and runs; the answer is one of <see cref="ExitCodes"/>.</summary>
    /// <param name="args">As from the shell, without the program's name.</param>
    /// <param name="signals">Stop and reload, registered before anything else ran.</param>
    /// <param name="output">What the command answers.</param>
    /// <param name="error">What went wrong.</param>
    public static async Task<int> RunAsync(string[] args, HostSignals signals, TextWriter output, TextWriter error)
    {
        var root = Build(signals);
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.GetResult(root.Options.OfType<HelpOption>().Single()) is null)
        {
            return await Usage(parsed.Errors, parsed.CommandResult, error);
        }

        // Signals are ours: the library would otherwise end the process two seconds after SIGTERM, whatever the fence is doing.
        var invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        };
        return await parsed.InvokeAsync(invocation, signals.Stop);
    }

    private static RootCommand Build(HostSignals signals)
    {
        var file = new Option<string?>("--file", "-f")
        {
            Description = "The node's configuration (conf/harepd.yml explains every key)",
            HelpName = "FILE",
            Recursive = true,
        };
        var manual = new Manual();
        var root = RunCommand.Build(file, manual, signals);
        root.Options.Add(file);
        root.Subcommands.Add(CheckCommand.Build(file, manual));
        root.Subcommands.Add(StatusCommand.Build(file, manual));
        root.Subcommands.Add(HistoryCommand.Build(file, manual));
        root.Subcommands.Add(SwitchoverCommand.Build(file, manual));
        root.Subcommands.Add(RestartCommand.Build(file, manual));
        root.Subcommands.Add(StopCommand.Build(file, manual));
        root.Subcommands.Add(StopCommand.BuildStart(file, manual));
        root.Subcommands.Add(FailoverCommand.Build(file, manual));
        root.Subcommands.Add(FailoverCommand.BuildAcceptLoss(file, manual));
        root.Subcommands.Add(DataLossCommand.Build(file, manual));
        root.Subcommands.Add(RejoinCommand.Build(file, manual));
        root.Subcommands.Add(ReinitCommand.Build(file, manual));
        root.Subcommands.Add(PauseCommand.Build(file, manual));
        root.Subcommands.Add(PauseCommand.BuildResume(file, manual));
        root.Subcommands.Add(LocalOrderCommands.BuildMaintenance(file, manual));
        root.Subcommands.Add(HbaCommand.Build(file, manual));
        root.Subcommands.Add(FenceCommand.Build(file, manual));
        root.Subcommands.Add(LocalOrderCommands.BuildUnfence(file, manual));
        root.Subcommands.Add(TimelineCommand.Build(file, manual));
        root.Subcommands.Add(GuardCommand.Build(file, signals, manual));
        root.Subcommands.Add(InitSqlCommand.Build(file, manual));
        root.Subcommands.Add(HaproxyConfigCommand.Build(file, manual));
        root.Subcommands.Add(VersionCommand.Build(manual));
        manual.AttachTo(root);
        root.Options.Remove(root.Options.OfType<VersionOption>().Single());
        return root;
    }

    private static async Task<int> Usage(IReadOnlyList<ParseError> errors, CommandResult command, TextWriter error)
    {
        foreach (var problem in errors)
        {
            await error.WriteLineAsync(problem.Message);
        }

        var name = command.Command is RootCommand ? "" : $" {command.Command.Name}";
        await error.WriteLineAsync($"harepd{name} --help shows how it is meant.");
        return ExitCodes.Usage;
    }
}
