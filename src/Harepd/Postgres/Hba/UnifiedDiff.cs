using System.Globalization;
using System.Text;

namespace Harepd.Postgres.Hba;

/// <summary>The difference of two texts as people read it (unified, three lines of context). Pure.</summary>
internal static class UnifiedDiff
{
    private const int Context = 3;

    /// <summary>Beyond this many compared pairs the changed middle is shown as removed and added as a whole, which is still true.</summary>
    private const long MostPairs = 4_000_000;

    /// <summary>Empty when the texts are equal.</summary>
    public static string Between(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, string name)
    {
        var steps = Steps(Lines(before), Lines(after));
        if (steps.TrueForAll(step => step.Kind == ' '))
        {
            return "";
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"--- {name}\n+++ {name} (harepd)\n");
        for (var at = 0; at < steps.Count;)
        {
            var first = steps.FindIndex(at, step => step.Kind != ' ');
            if (first < 0)
            {
                break;
            }

            var start = Math.Max(at, first - Context);
            var end = EndOfHunk(steps, first);
            AppendHunk(text, steps, start, end);
            at = end;
        }

        return text.ToString();
    }

    private static int EndOfHunk(List<(char Kind, string Line)> steps, int first)
    {
        var last = first;
        for (var i = first; i < steps.Count && i - last <= 2 * Context; i++)
        {
            last = steps[i].Kind == ' ' ? last : i;
        }

        return Math.Min(steps.Count, last + Context + 1);
    }

    private static void AppendHunk(StringBuilder text, List<(char Kind, string Line)> steps, int start, int end)
    {
        var oldFirst = 1 + steps.Take(start).Count(step => step.Kind != '+');
        var newFirst = 1 + steps.Take(start).Count(step => step.Kind != '-');
        var hunk = steps.GetRange(start, end - start);
        var oldCount = hunk.Count(step => step.Kind != '+');
        var newCount = hunk.Count(step => step.Kind != '-');
        text.Append(CultureInfo.InvariantCulture, $"@@ -{(oldCount == 0 ? oldFirst - 1 : oldFirst)},{oldCount} +{(newCount == 0 ? newFirst - 1 : newFirst)},{newCount} @@\n");
        foreach (var (kind, line) in hunk)
        {
            text.Append(kind).Append(line.TrimEnd('\n')).Append('\n');
            if (!line.EndsWith('\n'))
            {
                text.Append("\\ No newline at end of file\n");
            }
        }
    }

    private static List<(char Kind, string Line)> Steps(IReadOnlyList<string> before, IReadOnlyList<string> after)
    {
        var head = 0;
        while (head < before.Count && head < after.Count && before[head] == after[head])
        {
            head++;
        }

        var tail = 0;
        while (tail < before.Count - head && tail < after.Count - head && before[^(tail + 1)] == after[^(tail + 1)])
        {
            tail++;
        }

        var steps = before.Take(head).Select(line => (' ', line)).ToList();
        AddMiddle(steps, [.. before.Skip(head).SkipLast(tail)], [.. after.Skip(head).SkipLast(tail)]);
        steps.AddRange(before.TakeLast(tail).Select(line => (' ', line)));
        return steps;
    }

    // The longest common subsequence by the textbook table; the file is small and its ends are gone already.
    private static void AddMiddle(List<(char Kind, string Line)> steps, string[] before, string[] after)
    {
        var isTooLarge = (long)before.Length * after.Length > MostPairs;
        var common = isTooLarge ? null : CommonLengths(before, after);
        int i = 0, j = 0;
        while (i < before.Length || j < after.Length)
        {
            if (common is not null && i < before.Length && j < after.Length && before[i] == after[j])
            {
                steps.Add((' ', before[i++]));
                j++;
            }
            else if (j == after.Length || (i < before.Length && (common is null || common[i + 1, j] >= common[i, j + 1])))
            {
                steps.Add(('-', before[i++]));
            }
            else
            {
                steps.Add(('+', after[j++]));
            }
        }
    }

    private static int[,] CommonLengths(string[] before, string[] after)
    {
        var lengths = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
            {
                lengths[i, j] = before[i] == after[j] ? lengths[i + 1, j + 1] + 1 : Math.Max(lengths[i + 1, j], lengths[i, j + 1]);
            }
        }

        return lengths;
    }

    private static IReadOnlyList<string> Lines(ReadOnlySpan<byte> bytes) => HbaBlockCut.PhysicalLines(HbaText.ForPeople(HbaText.FromBytes(bytes)));
}
