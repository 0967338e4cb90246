using System.Globalization;
using System.Text;
using Harepd.Core.Model;

namespace Harepd.Postgres.Watch;

/// <summary><c>synchronous_standby_names</c>, read and written (PostgreSQL manual, "synchronous_standby_names"; syncrep_gram.y).</summary>
internal static class SynchronyText
{
    /// <summary>
    /// What the setting makes a primary wait for: <c>FIRST k (…)</c>, <c>ANY k (…)</c>, <c>k (…)</c> and a plain list, which is <c>FIRST 1</c>. Nobody where it
    /// is empty, makes no sense, or has a <c>*</c>: whom that means is not known in advance.
    /// </summary>
    public static Synchrony Read(string? text)
    {
        if (Words(text ?? "") is not { Count: > 0 } words)
        {
            return Synchrony.None;
        }

        var at = IsKeyword(words[0]) ? 1 : 0;
        var isCounted = words.Count > at + 1 && words[at + 1] is { IsQuoted: false, Text: "(" };
        var count = 1;
        if (isCounted && !int.TryParse(words[at].Text, NumberStyles.None, CultureInfo.InvariantCulture, out count))
        {
            return Synchrony.None;
        }

        var list = isCounted ? words[^1] is { IsQuoted: false, Text: ")" } ? words[(at + 2)..^1] : [] : at == 0 ? words : [];
        return Names(list) is { } names ? new Synchrony(count, names) : Synchrony.None;
    }

    /// <summary>The setting that makes a primary wait so.</summary>
    public static string Write(Synchrony synchrony) => synchrony.IsNone ? "" : string.Create(
        CultureInfo.InvariantCulture, $"ANY {synchrony.Count} ({string.Join(", ", synchrony.Names.Select(name => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))})");

    private static bool IsKeyword(Word word) =>
        !word.IsQuoted && (word.Text.Equals("any", StringComparison.OrdinalIgnoreCase) || word.Text.Equals("first", StringComparison.OrdinalIgnoreCase));

    /// <summary>Names with a comma between each two; null where it is anything else.</summary>
    private static List<string>? Names(List<Word> list)
    {
        var names = new List<string>();
        for (var i = 0; i < list.Count; i++)
        {
            var isComma = list[i] is { IsQuoted: false, Text: "," };
            if (isComma != (i % 2 == 1) || list[i] is { IsQuoted: false, Text: "*" or "(" or ")" } or { IsQuoted: true, Text: "*" or "" })
            {
                return null;
            }

            if (!isComma)
            {
                names.Add(list[i].Text);
            }
        }

        return list.Count % 2 == 1 ? names : null;
    }

    /// <summary>Null where a quote is not closed.</summary>
    private static List<Word>? Words(string text)
    {
        var words = new List<Word>();
        for (var i = 0; i < text.Length;)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
            }
            else if (text[i] == '"')
            {
                var name = new StringBuilder();
                for (i++; i < text.Length && (text[i] != '"' || (i + 1 < text.Length && text[i + 1] == '"')); i++)
                {
                    i += text[i] == '"' ? 1 : 0;
                    name.Append(text[i]);
                }

                if (i++ >= text.Length)
                {
                    return null;
                }

                words.Add(new Word(name.ToString(), IsQuoted: true));
            }
            else if (text[i] is '(' or ')' or ',' or '*')
            {
                words.Add(new Word(text[i++].ToString(), IsQuoted: false));
            }
            else
            {
                var start = i;
                while (i < text.Length && !char.IsWhiteSpace(text[i]) && text[i] is not ('(' or ')' or ',' or '*' or '"'))
                {
                    i++;
                }

                words.Add(new Word(text[start..i], IsQuoted: false));
            }
        }

        return words;
    }

    private readonly record struct Word(string Text, bool IsQuoted);
}
