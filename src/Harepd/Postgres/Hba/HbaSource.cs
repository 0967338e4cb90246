namespace Harepd.Postgres.Hba;

/// <summary>
/// Reads the files that pg_hba.conf refers to, so that the pure part needs no disk: gives the text (one char per byte) of an absolute path,
/// or null where it cannot be read; and the files of a folder for <c>include_dir</c>.
/// </summary>
internal interface IHbaSource
{
    /// <summary>The text of a file, or null.</summary>
    string? Read(string path);

    /// <summary>Absolute paths of the files in a folder, in any order; empty where it cannot be listed.</summary>
    IReadOnlyList<string> List(string folder);
}

/// <summary>The disk, with bounds: files over a megabyte and folders of over a thousand files are not read.</summary>
internal sealed class HbaDiskSource : IHbaSource
{
    private const int LargestFile = 1 << 20;
    private const int MostFiles = 1000;

    public string? Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > LargestFile)
            {
                return null;
            }

            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return HbaText.FromBytes(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    public IReadOnlyList<string> List(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Take(MostFiles)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return [];
        }
    }
}

/// <summary>The operator's rules in the order PostgreSQL reads them, with the files that <c>include</c> lines (PostgreSQL 16) pull in.</summary>
internal static class HbaRules
{
    /// <summary>PostgreSQL's own bound (<c>CONF_FILE_MAX_DEPTH</c>).</summary>
    private const int DeepestInclude = 10;

    /// <summary>Every line with columns, each with the folder that relative names in it start from.</summary>
    public static IReadOnlyList<(HbaLine Line, string Folder)> InOrder(string text, string folder, IHbaSource source)
    {
        var rules = new List<(HbaLine, string)>();
        Collect(text, folder, source, 0, rules);
        return rules;
    }

    /// <summary>The names in a user or database field, with <c>@file</c> references read.</summary>
    public static IEnumerable<HbaToken> Expand(HbaField field, string folder, IHbaSource source) => Expand(field, folder, source, 0);

    public static string FullPath(string name, string folder) => Path.GetFullPath(Path.Combine(folder, name));

    private static void Collect(string text, string folder, IHbaSource source, int depth, List<(HbaLine Line, string Folder)> into)
    {
        foreach (var line in HbaLine.Read(text))
        {
            if (line.Fields.Count == 0)
            {
                continue;
            }

            if (IncludedFiles(line, folder, source) is not { } files)
            {
                into.Add((line, folder));
                continue;
            }

            foreach (var file in depth < DeepestInclude ? files : [])
            {
                if (source.Read(file) is { } included)
                {
                    Collect(included, Path.GetDirectoryName(file) ?? "/", source, depth + 1, into);
                }
            }
        }
    }

    private static IReadOnlyList<string>? IncludedFiles(HbaLine line, string folder, IHbaSource source)
    {
        if (line.Fields is not [{ Tokens: [var directive, ..] }, { Tokens: [var name, ..] }])
        {
            return null;
        }

        var path = FullPath(name.Text, folder);
        return directive.Text switch
        {
            "include" or "include_if_exists" => [path],
            "include_dir" => [.. source.List(path)
                .Where(file => Path.GetFileName(file) is var short_ && short_.EndsWith(".conf", StringComparison.Ordinal) && short_[0] != '.')
                .Order(StringComparer.Ordinal)],
            _ => null,
        };
    }

    private static IEnumerable<HbaToken> Expand(HbaField field, string folder, IHbaSource source, int depth)
    {
        foreach (var token in field.Tokens)
        {
            if (token.IncludedFile is not { } name)
            {
                yield return token;
                continue;
            }

            var path = FullPath(name, folder);
            var text = depth < DeepestInclude ? source.Read(path) : null;
            foreach (var inner in HbaLine.Read(text ?? "").SelectMany(line => line.Fields))
            {
                foreach (var expanded in Expand(inner, Path.GetDirectoryName(path) ?? "/", source, depth + 1))
                {
                    yield return expanded;
                }
            }
        }
    }
}
