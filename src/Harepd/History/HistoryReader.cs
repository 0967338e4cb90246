namespace Harepd.History;

/// <summary>What a history file held.</summary>
/// <param name="Lines">Oldest first.</param>
/// <param name="Damaged">How many lines could not be read and are left out.</param>
/// <param name="Problem">Why the file could not be read to its end; null where it was, or is not there.</param>
internal sealed record HistoryFound(IReadOnlyList<HistoryLine> Lines, int Damaged, string? Problem);

/// <summary>Reads the history of a state folder, whether a daemon runs or not. Bounded by the size of the files; may wait for the disk.</summary>
internal static class HistoryReader
{
    private const int MostLineBytes = 64 * 1024;

    /// <summary>Everything that the folder holds, by time.</summary>
    public static HistoryFound ReadFolder(string folder)
    {
        string[] names = [HistoryFile.VoterStem + ".old.jsonl", HistoryFile.VoterStem + ".jsonl", HistoryFile.NodeStem + ".old.jsonl", HistoryFile.NodeStem + ".jsonl"];
        var found = names.Select(name => Read(Path.Combine(folder, name))).ToList();

        // By time; lines of one moment keep the order in which they were written.
        return new HistoryFound(
            [.. found.SelectMany(file => file.Lines).OrderBy(line => line.Time)], found.Sum(file => file.Damaged), found.Select(file => file.Problem).FirstOrDefault(problem => problem is not null));
    }

    /// <summary>One file; without a file nothing is found.</summary>
    public static HistoryFound Read(string path)
    {
        var lines = new List<HistoryLine>();
        var damaged = 0;
        try
        {
            if (!File.Exists(path))
            {
                return new HistoryFound(lines, 0, null);
            }

            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

            // A file of ours is never longer; what somebody put there is not read to the end of the memory.
            var bytes = new byte[Math.Min(file.Length, 4 * HistoryFile.MostBytes)];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            foreach (var line in Split(bytes.AsMemory(0, length)))
            {
                var read = line.Length <= MostLineBytes ? HistoryLine.Read(line.Span) : null;
                if (read is null)
                {
                    damaged++;
                }
                else
                {
                    lines.Add(read);
                }
            }

            return new HistoryFound(lines, damaged, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new HistoryFound(lines, damaged, error.Message);
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> text)
    {
        while (!text.IsEmpty)
        {
            var end = text.Span.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            if (!line.IsEmpty)
            {
                yield return line;
            }
        }
    }
}
