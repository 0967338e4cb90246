using Harepd.Config;
using Spectre.Console;

namespace Harepd.Cli.Check;

/// <summary>Writes the report for people.</summary>
internal static class CheckText
{
    public static void Write(CheckReport report, TextWriter output)
    {
        if (report.Config is not { } config)
        {
            ConfigFile.Write(report.Errors, output);
            return;
        }

        var console = Terminal.For(output);
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
        var table = Terminal.NewTable("member", "what");
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
        var table = Terminal.NewTable("what", "span", "how it follows");
        table.Columns[1].RightAligned();
        foreach (var line in BudgetTable.Of(lease))
        {
            table.AddRow(line.What, $"[bold]{BudgetTable.Seconds(line.Span)}[/]", line.Formula);
        }

        WriteTable(console, heading, table);
    }

    private static void WriteDoors(IAnsiConsole console, CheckReport report)
    {
        var table = Terminal.NewTable("door", "state", "found");
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

    private static void WriteTable(IAnsiConsole console, string heading, Table table)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{heading}[/]");
        console.Write(table);
    }
}
