using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Harepd.Tests.Live.Machines;

/// <summary>
/// Keeps the figures of all runs in the file that HAREPD_FIGURES names, one JSON object a line, and beside it (<c>.md</c>) a table of their medians
/// and extremes; nothing without it. Several runs may add to one file.
/// </summary>
internal static class FigureFile
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Keep(FaultFigures figures)
    {
        if (Environment.GetEnvironmentVariable("HAREPD_FIGURES") is { Length: > 0 } path)
        {
            File.AppendAllText(path, JsonSerializer.Serialize(figures, Format) + "\n");
            var all = File.ReadLines(path).Select(line => JsonSerializer.Deserialize<FaultFigures>(line, Format)!);
            File.WriteAllText(path + ".md", Table(all));
        }
    }

    private static string Table(IEnumerable<FaultFigures> all)
    {
        var text = new StringBuilder("""
            | fault | runs | gap, primary's side | gap, standby's side | gap when mended | old primary's last write | two writers | lost of acknowledged | servers stopped and started again |
            |---|---|---|---|---|---|---|---|---|

            """);
        foreach (var runs in all.GroupBy(run => run.Fault))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {runs.Key} | {runs.Count()} | {Spread(runs, run => run.NearGapMs)} | {Spread(runs, run => run.FarGapMs)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Spread(runs, run => run.MendGapMs)} | {Spread(runs, run => run.OldPrimarysLastWriteMs)} ")
                .Append(CultureInfo.InvariantCulture, $"| {Spread(runs, run => run.TwoWritersMs)}{Rogue(runs)} | {Spread(runs, run => run.Lost)} of {Spread(runs, run => run.Acknowledged)} ")
                .Append(CultureInfo.InvariantCulture, $"| {runs.Sum(run => run.ServersStopped)} |\n");
        }

        return text.ToString();
    }

    private static string Rogue(IEnumerable<FaultFigures> runs) =>
        runs.Any(run => run.RogueMs is not null) ? $" (rogue {Spread(runs, run => run.RogueMs)})" : "";

    // The median, and the extremes where they differ from it.
    private static string Spread(IEnumerable<FaultFigures> runs, Func<FaultFigures, double?> figure)
    {
        var values = runs.Select(figure).OfType<double>().Order().ToList();
        return values switch
        {
            [] => "",
            [var only] => $"{only:0}",
            _ when values[0] == values[^1] => $"{values[0]:0}",
            _ => $"{values[values.Count / 2]:0} ({values[0]:0}-{values[^1]:0})",
        };
    }
}
