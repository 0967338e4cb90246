using System.Globalization;
using System.Text;
using Harepd.History;
using Spectre.Console;

namespace Harepd.Cli;

/// <summary>The history for people and for machines.</summary>
internal static class HistoryText
{
    public static void Write(IReadOnlyList<HistoryLine> lines, bool isJson, TextWriter output)
    {
        if (isJson)
        {
            foreach (var line in lines)
            {
                output.WriteLine(Encoding.UTF8.GetString(line.ToJson()));
            }

            return;
        }

        if (lines.Count == 0)
        {
            output.WriteLine("nothing is noted");
            return;
        }

        var table = Terminal.NewTable("time (UTC)", "node", "term", "decision", "took", "position", "by", "reason");
        foreach (var column in table.Columns.SkipLast(1))
        {
            column.NoWrap = true;
        }

        foreach (var line in lines)
        {
            string[] cells =
            [
                line.Time.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture), line.Node, line.Term == 0 ? "" : Number(line.Term), line.Kind,
                line.TookMs is { } took ? Took(took) : "", Position(line), line.Actor ?? "", $"{Change(line)}{line.Reason}",
            ];
            table.AddRow([.. cells.Select(cell => Markup.Escape(Printable(cell)))]);
        }

        Terminal.For(output).Write(table);
    }

    private static string Change(HistoryLine line) => (line.From, line.To) switch
    {
        (null, null) => "",
        (null, var to) => $"{to}: ",
        (var from, null) => $"no longer {from}: ",
        var (from, to) => $"{from} → {to}: ",
    };

    /// <summary>Where the server was, and on which timeline.</summary>
    private static string Position(HistoryLine line) => line.Timeline == 0 ? line.Lsn ?? "" : line.Lsn is { } lsn ? $"{lsn} on {Number(line.Timeline)}" : $"on {Number(line.Timeline)}";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Took(double milliseconds) => milliseconds < 10_000
        ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.#} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.#} s");

    /// <summary>A reason may quote what a stranger sent, and must not reach the terminal as it is.</summary>
    private static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '·' : c)) : text;
}
