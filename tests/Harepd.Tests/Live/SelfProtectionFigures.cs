using System.Text.Json;

namespace Harepd.Tests.Live;

/// <summary>Keeps how long clients could still write after a lease had to be given up, one JSON object a line in the file that HAREPD_FENCE_FIGURES names; nothing without it.</summary>
internal static class SelfProtectionFigures
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web);

    /// <param name="what">The trouble that the daemon was in.</param>
    /// <param name="lastWrite">From the moment at which the holder had to give up to the last acknowledgement by any way; negative when that was before.</param>
    /// <param name="budget">From that moment to the end of the lease.</param>
    /// <param name="wasStopped">The fence had to stop the server.</param>
    public static void Keep(string what, TimeSpan lastWrite, TimeSpan budget, bool wasStopped)
    {
        if (Environment.GetEnvironmentVariable("HAREPD_FENCE_FIGURES") is { Length: > 0 } path)
        {
            var line = new { what, lastWriteMs = Math.Round(lastWrite.TotalMilliseconds), budgetMs = Math.Round(budget.TotalMilliseconds), wasStopped };
            File.AppendAllText(path, JsonSerializer.Serialize(line, Format) + "\n");
        }
    }
}
