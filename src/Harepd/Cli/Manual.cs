using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Harepd.Cli;

/// <summary>
/// What <c>--help</c> of a command says beyond its one sentence: details, and an example to copy. Written below the library's own
/// text, so that the list of commands stays one line each.
/// </summary>
internal sealed class Manual
{
    private readonly Dictionary<Command, string> _pages = [];

    /// <summary>Sets a command's page; it must hold an example.</summary>
    public void Add(Command command, string page) => _pages.Add(command, page);

    /// <summary>Makes the root's help option, which serves every command, print the pages too.</summary>
    public void AttachTo(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        option.Action = new PrintHelp((HelpAction)option.Action!, _pages);
    }

    private sealed class PrintHelp(HelpAction library, Dictionary<Command, string> pages) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var exitCode = library.Invoke(parseResult);
            if (pages.TryGetValue(parseResult.CommandResult.Command, out var page))
            {
                parseResult.InvocationConfiguration.Output.WriteLine(page);
                parseResult.InvocationConfiguration.Output.WriteLine();
            }

            return exitCode;
        }
    }
}
