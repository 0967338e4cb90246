namespace Harepd.Postgres.Hba;

/// <summary>
/// One line as PostgreSQL sees it: one or more physical lines, joined where a backslash ends one (also at the end of a comment).
/// </summary>
/// <param name="Start">Offset of its first character in the text.</param>
/// <param name="End">Offset behind its line end.</param>
/// <param name="Number">Number of its first physical line, from 1.</param>
/// <param name="Joined">Its text without line ends and joining backslashes.</param>
/// <param name="Fields">Its columns; empty for a blank line or a comment.</param>
internal sealed record HbaLine(int Start, int End, int Number, string Joined, IReadOnlyList<HbaField> Fields)
{
    /// <summary>
    /// A rule for TCP connections: <c>host</c>, <c>hostssl</c>, <c>hostnossl</c>, <c>hostgssenc</c>, <c>hostnogssenc</c>. PostgreSQL compares them
    /// by letter and does not care for quotes.
    /// </summary>
    public bool IsTcpRule => Fields.Count >= 5 && Fields[0].Tokens is [{ Text: "host" or "hostssl" or "hostnossl" or "hostgssenc" or "hostnogssenc" }];

    /// <summary>The field as it is written in the file, quotes and all.</summary>
    public string Raw(int field) => Joined[Fields[field].Start..Fields[field].End];

    /// <summary>Everything from this field to the last one, as it is written.</summary>
    public string RawFrom(int field) => Joined[Fields[field].Start..Fields[^1].End];

    /// <summary>Reads a text into lines by the rules of PostgreSQL's <c>tokenize_auth_file</c>. Every character belongs to exactly one line.</summary>
    public static IReadOnlyList<HbaLine> Read(string text)
    {
        var lines = new List<HbaLine>();
        var number = 1;
        for (var at = 0; at < text.Length;)
        {
            var (end, joined, physical) = Join(text, at);
            lines.Add(new HbaLine(at, end, number, joined, HbaTokenizer.Fields(joined)));
            number += physical;
            at = end;
        }

        return lines;
    }

    private static (int End, string Joined, int Physical) Join(string text, int at)
    {
        var joined = "";
        var sinceBackslash = 0;
        for (var physical = 1; ; physical++)
        {
            var feed = text.IndexOf('\n', at);
            var end = feed < 0 ? text.Length : feed + 1;
            joined = (joined + text[at..end]).TrimEnd('\r', '\n');

            // PostgreSQL looks for the backslash only behind the last joint; two backslashes before an empty line join once.
            if (joined.Length <= sinceBackslash || joined[^1] != '\\')
            {
                return (end, joined, physical);
            }

            joined = joined[..^1];
            sinceBackslash = joined.Length;
            at = end;
            if (at >= text.Length)
            {
                return (end, joined, physical);
            }
        }
    }
}
