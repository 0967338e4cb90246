using System.Text.Json;

namespace Harepd.Tests.Live.Machines;

/// <summary>Keeps the figures of all runs, one JSON object a line, in the file that HAREPD_FIGURES names; nowhere without it.</summary>
internal static class FigureFile
{
    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static void Keep(FaultFigures figures)
    {
        if (Environment.GetEnvironmentVariable("HAREPD_FIGURES") is { Length: > 0 } path)
        {
            File.AppendAllText(path, JsonSerializer.Serialize(figures, Format) + "\n");
        }
    }
}
