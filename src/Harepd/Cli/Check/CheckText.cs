using Harepd.Config;
using Spectre.Console;

namespace Harepd.Cli.Check;

/// <summary>Writes the report for people.</summary>
internal static class CheckText
{
    private const int WidthOfAPipe = 160;

    public static void Write(CheckReport report, TextWriter output, bool isTerminal)
    {
        if (report.Config is not { } config)
        {
            ConfigFile.Write(report.Errors, output);
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = isTerminal ? console.Profile.Width : WidthOfAPipe;
        console.MarkupLineInterpolated($"{report.File} is valid: [bold]{config.NodeName}[/], member {config.Self} of cluster {config.Cluster}");
        foreach (var note in report.Notes)
        {
            console.MarkupLineInterpolated($"  [yellow]note[/] {note}");
        }

        WriteMembers(console, config);
        WriteBudget(console, config.Lease);
        WriteDoors(console, report);
    }

    private static void WriteMembers(IAnsiConsole console, HarepdConfig config)
    {
        var majority = config.Members.Length / 2 + 1;
        var heading = $"{config.Members.Length} members, {majority} votes are a majority, epoch {config.Membership.Epoch}";
        var table = NewTable("member", "what");
        foreach (var member in config.Members)
        {
            var what = member == config.Self ? "this node" : member == config.Grpc.Witness?.Member ? "witness" : "neighbour";
            table.AddRow(Markup.Escape(member.ToString()), what);
        }

        WriteTable(console, heading, table);
    }

    private static void WriteBudget(IAnsiConsole console, LeaseConfig lease)
    {
        var heading = $"Failover budget: D = {BudgetTable.Seconds(lease.Duration)}, renewInterval {BudgetTable.Seconds(lease.RenewInterval)}, "
            + $"fenceBudget {BudgetTable.Seconds(lease.FenceBudget)}, maxDuration {BudgetTable.Seconds(lease.MaxDuration)}";
        var table = NewTable("what", "span", "how it follows");
        table.Columns[1].RightAligned();
        foreach (var line in BudgetTable.Of(lease))
        {
            table.AddRow(line.What, $"[bold]{BudgetTable.Seconds(line.Span)}[/]", line.Formula);
        }

        WriteTable(console, heading, table);
    }

    private static void WriteDoors(IAnsiConsole console, CheckReport report)
    {
        var table = NewTable("door", "state", "found");
        foreach (var door in report.Doors)
        {
            var state = door.State switch
            {
                DoorState.Open => "[green]ok[/]",
                DoorState.Noted => "[yellow]note[/]",
                _ => "[red]FAILED[/]",
            };
            table.AddRow(Markup.Escape(door.Door), state, Markup.Escape(door.Detail));
        }

        WriteTable(console, "Doors", table);
    }

    private static Table NewTable(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumns(columns);
        return table;
    }

    private static void WriteTable(IAnsiConsole console, string heading, Table table)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{heading}[/]");
        console.Write(table);
    }
}
