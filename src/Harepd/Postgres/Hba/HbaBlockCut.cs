using System.Text;

namespace Harepd.Postgres.Hba;

/// <summary>
/// Cuts the managed block out of a text. Works on physical lines, because a backslash at the end of an operator's comment can make
/// PostgreSQL take our marker for a part of that comment while it is a marker to us all the same.
/// </summary>
/// <param name="Outside">The text without the block and without stray lines of ours.</param>
/// <param name="HasBlock">A begin marker was there.</param>
/// <param name="Marker">The first begin marker; null when there was none or it is damaged.</param>
/// <param name="IsDamaged">A marker lacked its partner, there was more than one block, or a line of ours lay outside.</param>
internal sealed record HbaBlockCut(string Outside, bool HasBlock, HbaMarker? Marker, bool IsDamaged)
{
    public static HbaBlockCut Of(string text)
    {
        var lines = PhysicalLines(text);
        var isOurs = new bool[lines.Count];
        var blocks = 0;
        var isDamaged = false;
        HbaMarker? marker = null;
        for (var i = 0; i < lines.Count; i++)
        {
            if (HbaMarker.IsBegin(lines[i]))
            {
                marker = blocks++ == 0 ? HbaMarker.Parse(lines[i]) : marker;
                var end = EndOf(lines, i);
                isDamaged |= end < 0 || blocks > 1;

                // Without an end marker nobody knows where the block ends: only what bears our tag is taken for ours.
                Array.Fill(isOurs, true, i, (end < 0 ? i : end) - i + 1);
                i = Math.Max(i, end);
            }
            else if (HbaMarker.IsEnd(lines[i]) || lines[i].TrimEnd('\r', '\n').EndsWith(HbaBlock.Tag, StringComparison.Ordinal))
            {
                isOurs[i] = true;
                isDamaged = true;
            }
        }

        return new HbaBlockCut(Without(lines, isOurs), blocks > 0, marker, isDamaged);
    }

    /// <summary>The lines that are kept. Where a kept line ends in a backslash and its continuation goes, an empty line takes the place: else it would swallow the next rule.</summary>
    public static string Without(IReadOnlyList<string> lines, bool[] goes)
    {
        var kept = new StringBuilder();
        var lastKept = "";
        for (var i = 0; i < lines.Count; i++)
        {
            if (!goes[i])
            {
                kept.Append(lines[i]);
                lastKept = lines[i];
            }
            else if (lastKept.TrimEnd('\r', '\n').EndsWith('\\'))
            {
                kept.Append('\n');
                lastKept = "";
            }
        }

        return kept.ToString();
    }

    /// <summary>The text in pieces, each with its line feed; the last one may lack it.</summary>
    public static IReadOnlyList<string> PhysicalLines(string text)
    {
        var lines = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var feed = text.IndexOf('\n', at);
            var end = feed < 0 ? text.Length : feed + 1;
            lines.Add(text[at..end]);
            at = end;
        }

        return lines;
    }

    private static int EndOf(IReadOnlyList<string> lines, int begin)
    {
        for (var i = begin + 1; i < lines.Count && !HbaMarker.IsBegin(lines[i]); i++)
        {
            if (HbaMarker.IsEnd(lines[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
