namespace Harepd.Postgres.Hba;

/// <summary>
/// The rules that keep exempt users in while everybody else is rejected: the operator's own TCP rules, in his order, each narrowed to the
/// exempt users it names (or all). Nobody gains a right by it that the operator's file does not give. Pure but for the files behind <paramref name="source"/>.
/// </summary>
/// <param name="users">The exempt users.</param>
/// <param name="source">Where <c>@file</c> and include references are read.</param>
internal sealed class HbaExemption(IReadOnlyList<string> users, IHbaSource source)
{
    private readonly string[] _users = [.. users.Select(HbaText.FromName).Distinct(StringComparer.Ordinal)];

    /// <summary>The narrowed rules, and what could not be narrowed, said for people.</summary>
    /// <param name="text">The operator's part of pg_hba.conf.</param>
    /// <param name="folder">The folder of pg_hba.conf.</param>
    public (IReadOnlyList<string> Rules, IReadOnlyList<string> Notes) Narrow(string text, string folder)
    {
        var rules = new List<string>();
        var notes = new List<string>();
        foreach (var (line, home) in _users.Length == 0 ? [] : HbaRules.InOrder(text, folder, source))
        {
            if (!line.IsTcpRule)
            {
                continue;
            }

            var (named, isUndecided) = Match(line, home);
            var rule = named.Length > 0 ? Narrowed(line, home, folder, string.Join(',', named.Select(HbaText.Quote)))
                : isUndecided ? WithoutSession(line, home, folder, notes)
                : null;
            if (rule is not null && !rules.Contains(rule))
            {
                rules.Add(rule);
            }
        }

        return (rules, notes);
    }

    // A group or a pattern cannot be narrowed to one user without asking the server. A reject may stand as it is, for all whom it hits are
    // rejected anyway; an allow is left out, which can only take a right away.
    private static string? WithoutSession(HbaLine line, string home, string folder, List<string> notes)
    {
        if (line.Fields[^1].Tokens is [{ Text: "reject" }])
        {
            return Narrowed(line, home, folder, line.Raw(2));
        }

        notes.Add($"line {line.Number} of pg_hba.conf names a group or a pattern; an exempt user who gets in by it alone is kept out during a fence: name him");
        return null;
    }

    private static string? Narrowed(HbaLine line, string home, string folder, string userField)
    {
        var database = home == folder ? line.Raw(1) : WithAbsoluteFiles(line.Fields[1], home);
        var rule = $"{line.Fields[0].Tokens[0].Text} {database} {userField} {line.RawFrom(3)}{HbaBlock.Tag}";

        // An unclosed quote at the end of the operator's line would swallow the tag; such a line is left out.
        var read = HbaTokenizer.Fields(rule);
        return read.Count == line.Fields.Count && read[^1].Tokens.SequenceEqual(line.Fields[^1].Tokens) ? rule : null;
    }

    private static string WithAbsoluteFiles(HbaField field, string home) => string.Join(',', field.Tokens.Select(token =>
        token.IncludedFile is { } name ? "@" + HbaText.Quote(HbaRules.FullPath(name, home))
        : token.IsQuoted || token.Text.Length == 0 ? "\"" + token.Text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\""
        : token.Text));

    private (string[] Named, bool IsUndecided) Match(HbaLine line, string home)
    {
        var tokens = HbaRules.Expand(line.Fields[2], home, source).ToArray();
        if (tokens.Any(token => token.IsKeyword("all")))
        {
            return (_users, false);
        }

        var named = _users.Where(user => tokens.Any(token => token.Text == user && !IsPattern(token))).ToArray();
        return (named, tokens.Any(IsPattern));
    }

    private static bool IsPattern(HbaToken token) => token.Text.StartsWith('/') || (!token.IsQuoted && token.Text.StartsWith('+'));
}
