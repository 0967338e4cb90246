using System.Globalization;
using System.Text;

namespace Harepd.Config;

/// <summary>One thing that is wrong in a configuration, and how to mend it.</summary>
/// <param name="File">The file, as it was named.</param>
/// <param name="Line">From 1; 0 where the file could not be read at all.</param>
/// <param name="Key">Key path from the root, <c>harepd.gRPC.neighbours[1]</c>; empty for faults of the file.</param>
/// <param name="Value">The value as written; null where there is none.</param>
/// <param name="Problem">What is wrong, with the unit and the range.</param>
/// <param name="Mend">What to write instead; may have several lines.</param>
internal sealed record ConfigError(string File, int Line, string Key, string? Value, string Problem, string Mend)
{
    private const int ShownChars = 80;

    /// <summary><c>file:line: key: "value": problem</c> and, indented below it, the mend.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(File);
        text.Append(Line > 0 ? string.Create(CultureInfo.InvariantCulture, $":{Line}: ") : ": ");
        text.Append(Key.Length > 0 ? $"{Key}: " : "");
        text.Append(Value is null ? "" : $"\"{Shown(Value)}\": ");
        text.Append(Problem);
        foreach (var (index, line) in Mend.Split('\n').Index())
        {
            text.Append('\n').Append(index == 0 ? "    mend: " : "          ").Append(line);
        }

        return text.ToString();
    }

    // A value may hold anything, and the error goes to a terminal: control characters are shown as dots.
    private static string Shown(string value)
    {
        var cut = value.Length > ShownChars ? value[..ShownChars] + "…" : value;
        return string.Concat(cut.Select(c => char.IsControl(c) ? '·' : c));
    }
}
