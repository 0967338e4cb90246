using System.Globalization;
using System.Text;
using Harepd.Core.Model;

namespace Harepd.Postgres.Hba;

/// <summary>
/// The line that begins the managed block: whose it is and what it opens. Never carries an address followed by a slash and a digit, because
/// a Go peer deletes every such line (UPSTREAM); a node name is therefore percent-encoded where it is more than letters, digits and <c>._-</c>.
/// </summary>
/// <param name="NodeName">The node whose daemon wrote the block, decoded.</param>
/// <param name="Term">The term of the effect that wrote it.</param>
/// <param name="Gate">What the block allows.</param>
internal sealed record HbaMarker(string NodeName, Term Term, Gate Gate)
{
    /// <summary>The line that ends the block.</summary>
    public const string EndLine = "# <<< harepd";

    private const string BeginPrefix = "# >>> harepd";
    private const string ByteOrderMark = "\u00EF\u00BB\u00BF";

    /// <summary>The begin line, without line end.</summary>
    public string BeginLine => string.Create(
        CultureInfo.InvariantCulture, $"{BeginPrefix} {Encode(NodeName)} term={Term.Value} gate={NameOf(Gate)} do not edit");

    /// <summary>True for every line that means to begin a block, also a damaged one. An editor may have put a byte order mark before it.</summary>
    public static bool IsBegin(string line) => WithoutMark(line).StartsWith(BeginPrefix, StringComparison.Ordinal);

    public static bool IsEnd(string line) => line.StartsWith(EndLine, StringComparison.Ordinal);

    /// <summary>Reads a begin line; null when it is damaged, which the caller treats as closed.</summary>
    public static HbaMarker? Parse(string line)
    {
        var words = WithoutMark(line).Split((char[])[' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (!IsBegin(line) || words.Length < 6 || ValueOf(words[4], "term=") is not { } termText || ValueOf(words[5], "gate=") is not { } gateText
            || !long.TryParse(termText, NumberStyles.None, CultureInfo.InvariantCulture, out var term) || ParseGate(gateText) is not { } gate)
        {
            return null;
        }

        return new HbaMarker(Decode(words[3]), new Term(term), gate);
    }

    private static string? ValueOf(string word, string key) => word.StartsWith(key, StringComparison.Ordinal) ? word[key.Length..] : null;

    private static string WithoutMark(string line) => line.StartsWith(ByteOrderMark, StringComparison.Ordinal) ? line[ByteOrderMark.Length..] : line;

    private static string NameOf(Gate gate) => gate switch
    {
        Gate.ReadWrite => "readwrite",
        Gate.ReadOnly => "readonly",
        _ => "fenced",
    };

    private static Gate? ParseGate(string name) => name switch
    {
        "readwrite" => Gate.ReadWrite,
        "readonly" => Gate.ReadOnly,
        "fenced" => Gate.Fenced,
        _ => null,
    };

    private static string Encode(string name)
    {
        var encoded = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            _ = char.IsAsciiLetterOrDigit((char)b) || b is (byte)'.' or (byte)'_' or (byte)'-'
                ? encoded.Append((char)b)
                : encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return encoded.Length == 0 ? "%" : encoded.ToString();
    }

    private static string Decode(string word)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < word.Length; i++)
        {
            var isEscape = word[i] == '%' && i + 2 < word.Length
                && byte.TryParse(word.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);
            if (isEscape)
            {
                bytes.Add(byte.Parse(word.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 2;
            }
            else if (word != "%")
            {
                bytes.Add((byte)word[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
