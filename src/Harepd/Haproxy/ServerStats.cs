using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Harepd.Haproxy;

/// <summary>One server's line of <c>show stat</c>, as far as routing needs it.</summary>
internal sealed record ServerStat(string Backend, string Name, int Sessions, string Status, string LastCheck);

/// <summary>Reads <c>show stat</c> in its CSV form: columns by name, quoted fields, unknown columns ignored. Pure.</summary>
internal static class ServerStats
{
    private const int MostLines = 50_000;

    internal static bool Is(string block) => block.StartsWith("# pxname,svname,", StringComparison.Ordinal);

    /// <summary>The servers' lines (frontends and backends are left out); null where the table lacks its first columns.</summary>
    internal static ImmutableArray<ServerStat>? Parse(string block)
    {
        var lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length is 0 or > MostLines || !Is(lines[0]))
        {
            return null;
        }

        var names = Fields(lines[0][2..]);
        var (sessions, status, type) = (names.IndexOf("scur"), names.IndexOf("status"), names.IndexOf("type"));
        var (check, lastCheck) = (names.IndexOf("check_status"), names.IndexOf("last_chk"));
        if (sessions < 0)
        {
            return null;
        }

        var rows = ImmutableArray.CreateBuilder<ServerStat>();
        foreach (var fields in lines.Skip(1).Select(Fields))
        {
            if (fields.Count <= sessions)
            {
                return null;
            }

            if (At(fields, type) is "2" or "")
            {
                rows.Add(new ServerStat(fields[0], fields[1], Number(fields[sessions]), At(fields, status),
                    $"{At(fields, check)} {At(fields, lastCheck)}".Trim()));
            }
        }

        return rows.ToImmutable();
    }

    private static string At(List<string> fields, int column) => column >= 0 && column < fields.Count ? fields[column] : "";

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : -1;

    private static List<string> Fields(string line)
    {
        var fields = new List<string>(100);
        var field = new StringBuilder();
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c == '"' && isQuoted && i + 1 < line.Length && line[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (c == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (c == ',' && !isQuoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(c);
            }
        }

        fields.Add(field.ToString());
        return fields;
    }
}
