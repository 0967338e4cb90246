using System.Text;

namespace Harepd.Lab.Daemon;

/// <summary>Writes dotted keys as nested YAML; values are written as they are, so that a list or a map may be given in flow style.</summary>
public static class YamlFile
{
    /// <summary>The text of a file whose keys all lie below <paramref name="root"/>, in ordinal order.</summary>
    public static string Write(string root, IEnumerable<KeyValuePair<string, string?>> keys)
    {
        var text = new StringBuilder(root).Append(":\n");
        string[] open = [];
        foreach (var (key, value) in keys.Where(pair => pair.Value is not null).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var parts = key.Split('.');
            var sections = parts[..^1];
            var common = open.Zip(sections).TakeWhile(pair => pair.First == pair.Second).Count();
            for (var depth = common; depth < sections.Length; depth++)
            {
                Indent(text, depth).Append(sections[depth]).Append(":\n");
            }

            Indent(text, sections.Length).Append(parts[^1]).Append(": ").Append(value).Append('\n');
            open = sections;
        }

        return text.ToString();
    }

    private static StringBuilder Indent(StringBuilder text, int depth) => text.Append(' ', 2 * (depth + 1));
}
