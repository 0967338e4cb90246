using Spectre.Console;

namespace Harepd.Cli;

/// <summary>Where tables are written: coloured and as wide as the terminal, plain and wide where it is none.</summary>
internal static class Terminal
{
    private const int WidthOfAPipe = 160;

    public static IAnsiConsole For(TextWriter output)
    {
        var isTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = isTerminal ? console.Profile.Width : WidthOfAPipe;
        return console;
    }

    /// <summary>A table with rounded borders; its columns are markup.</summary>
    public static Table NewTable(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumns(columns);
        return table;
    }
}
