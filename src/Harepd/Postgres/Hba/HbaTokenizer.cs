using System.Text;

namespace Harepd.Postgres.Hba;

/// <summary>
/// Splits one joined line of pg_hba.conf into fields by PostgreSQL's own rules (source: <c>next_token</c> and <c>next_field_expand</c>
/// of hba.c): blanks are space, tab and CR; a comma ends a value and joins the next one to the same field; <c>#</c> outside quotes
/// ends the line, as does a NUL; a doubled quote inside quotes is one quote. Pure; never fails, as PostgreSQL knows no error on this level either.
/// </summary>
internal sealed class HbaTokenizer
{
    private readonly string _line;
    private int _at;

    private HbaTokenizer(string line)
    {
        var nul = line.IndexOf('\0', StringComparison.Ordinal);
        _line = nul < 0 ? line : line[..nul];
    }

    /// <summary>The fields of the line; empty for a blank line or a comment.</summary>
    public static IReadOnlyList<HbaField> Fields(string line)
    {
        var tokenizer = new HbaTokenizer(line);
        var fields = new List<HbaField>();
        while (tokenizer.NextField() is { } field)
        {
            fields.Add(field);
        }

        return fields;
    }

    private HbaField? NextField()
    {
        var tokens = new List<HbaToken>();
        int start = 0, end = 0;
        while (NextToken() is { } found)
        {
            start = tokens.Count == 0 ? found.Start : start;
            end = found.End;
            tokens.Add(found.Token);

            // A comma right behind the value goes on with the same field; a blank before the comma does not.
            if (end >= _line.Length || _line[end] != ',')
            {
                break;
            }
        }

        return tokens.Count == 0 ? null : new HbaField(tokens, start, end);
    }

    private (HbaToken Token, int Start, int End)? NextToken()
    {
        while (_at < _line.Length && (IsBlank(_line[_at]) || _line[_at] == ','))
        {
            _at++;
        }

        var start = _at;
        var text = new StringBuilder();
        bool inQuotes = false, afterQuote = false, sawQuote = false, beganQuoted = false;
        for (; _at < _line.Length && (inQuotes || !EndsValue(_line[_at])); _at++)
        {
            var c = _line[_at];
            if (c != '"' || afterQuote)
            {
                text.Append(c);
            }

            afterQuote = inQuotes && c == '"' && !afterQuote;
            if (c == '"')
            {
                inQuotes = !inQuotes;
                sawQuote = true;
                beganQuoted |= text.Length == 0;
            }
        }

        var end = _at;
        if (_at < _line.Length && _line[_at] == '#')
        {
            _at = _line.Length;
        }

        return text.Length > 0 || sawQuote ? (new HbaToken(text.ToString(), beganQuoted), start, end) : null;
    }

    private static bool EndsValue(char c) => IsBlank(c) || c is ',' or '#';

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\r';
}
