namespace Harepd.Postgres.Hba;

/// <summary>One value of a field. A quoted value is never a keyword, a group or a file reference (PostgreSQL's <c>AuthToken</c>).</summary>
/// <param name="Text">The value without its quotes, one char per byte.</param>
/// <param name="IsQuoted">It *began* with a quote; quotes further in do not count, as in PostgreSQL.</param>
internal readonly record struct HbaToken(string Text, bool IsQuoted)
{
    /// <summary>True when PostgreSQL would read the value as this keyword.</summary>
    public bool IsKeyword(string keyword) => !IsQuoted && Text == keyword;

    /// <summary>The name in <c>@name</c>, or null where the value is no reference to a file.</summary>
    public string? IncludedFile => !IsQuoted && Text.Length > 1 && Text[0] == '@' ? Text[1..] : null;
}

/// <summary>One column of a line: a list of values, and where it stands in the joined line, so that it can be copied as it was written.</summary>
/// <param name="Tokens">At least one.</param>
/// <param name="Start">Offset of the first character in the joined line.</param>
/// <param name="End">Offset behind the last character.</param>
internal sealed record HbaField(IReadOnlyList<HbaToken> Tokens, int Start, int End);
