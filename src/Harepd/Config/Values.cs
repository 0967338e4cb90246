using System.Globalization;
using System.Text;

namespace Harepd.Config;

/// <summary>How single values are read; each answers the value, or what is wrong and the mend.</summary>
internal static class Values
{
    // PostgreSQL cuts identifiers at NAMEDATALEN - 1 bytes.
    private const int MaxIdentifierBytes = 63;
    private const int MaxPathBytes = 1024;

    private static readonly string[] AllowMethods = ["md5", "scram-sha-256", "password", "trust", "gss", "pam", "ident"];

    /// <summary>true or false; YAML 1.1's yes, on and their like are refused, because readers disagree about them.</summary>
    public static Parsed<bool> Bool(string text) => text switch
    {
        "true" => Parsed<bool>.Good(true),
        "false" => Parsed<bool>.Good(false),
        _ => Parsed<bool>.Bad("neither true nor false", text.ToLowerInvariant() is "yes" or "on" or "1" or "true" ? "true" : "false"),
    };

    /// <summary>A whole number between two bounds, both allowed.</summary>
    public static Func<string, Parsed<int>> Whole(int min, int max) => text =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? Parsed<int>.Good(number)
            : Parsed<int>.Bad("not a whole number in range", string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"));

    /// <summary>Whole seconds without a unit, as the Go daemon's keys have them.</summary>
    public static Func<string, Parsed<TimeSpan>> Seconds(int min, int max) => text =>
    {
        var seconds = Whole(min, max)(text);
        return seconds.Problem is null
            ? Parsed<TimeSpan>.Good(TimeSpan.FromSeconds(seconds.Value))
            : Parsed<TimeSpan>.Bad(
                "not a whole number of seconds in range",
                string.Create(CultureInfo.InvariantCulture, $"seconds from {min} to {max}, without a unit"));
    };

    /// <summary>A duration with its unit.</summary>
    public static Func<string, Parsed<TimeSpan>> Duration(TimeSpan min, TimeSpan max) => text => Units.Duration(text, min, max);

    /// <summary>A TCP port, 1 to 65535, or from 0 where 0 means off.</summary>
    public static Func<string, Parsed<int>> Port(int min = 1) => text =>
    {
        var port = Whole(min, 65535)(text);
        return port.Problem is null ? port : Parsed<int>.Bad("not a port", $"a port from {min} to 65535");
    };

    /// <summary>A name made of letters, digits, dot, dash and underscore, at most 63.</summary>
    public static Parsed<string> Name(string text) =>
        text.Length is >= 1 and <= 63 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-')
            ? Parsed<string>.Good(text)
            : Parsed<string>.Bad("not a name", "1 to 63 of a-z, A-Z, 0-9, dot, dash and underscore");

    /// <summary>A name of one line, at most 63 bytes: a node of repmgr, a PostgreSQL user or database.</summary>
    public static Parsed<string> Identifier(string text)
    {
        if (text.Trim().Length == 0)
        {
            return Parsed<string>.Bad("empty", "write a name");
        }

        return Encoding.UTF8.GetByteCount(text) > MaxIdentifierBytes || text.Any(c => char.IsControl(c) || c == '"')
            ? Parsed<string>.Bad("not a PostgreSQL name", "at most 63 bytes, without quotes and control characters")
            : Parsed<string>.Good(text);
    }

    /// <summary>An absolute path without control characters.</summary>
    public static Parsed<string> AbsolutePath(string text)
    {
        if (text.Trim().Length == 0)
        {
            return Parsed<string>.Bad("empty", "write an absolute path");
        }

        if (text[0] != '/')
        {
            return Parsed<string>.Bad("not an absolute path", $"/{text.TrimStart('.', '/')}, if that is meant");
        }

        return text.Any(char.IsControl) || Encoding.UTF8.GetByteCount(text) > MaxPathBytes
            ? Parsed<string>.Bad("not a path", "a path of at most 1024 bytes on one line")
            : Parsed<string>.Good(text);
    }

    /// <summary>The same, where an empty value means that none is given.</summary>
    public static Func<string, Parsed<string?>> Optional(Func<string, Parsed<string>> parse) => text =>
    {
        if (text.Length == 0)
        {
            return Parsed<string?>.Good(null);
        }

        var parsed = parse(text);
        return parsed.Problem is null ? Parsed<string?>.Good(parsed.Value) : Parsed<string?>.Bad(parsed.Problem, parsed.Mend!);
    };

    /// <summary>One of a few words.</summary>
    public static Func<string, Parsed<T>> OneOf<T>(params (string Word, T Value)[] words) => text =>
    {
        foreach (var (word, value) in words)
        {
            if (word == text)
            {
                return Parsed<T>.Good(value);
            }
        }

        var nearest = NearestName.Of(text, words.Select(pair => pair.Word));
        var all = string.Join(", ", words.Select(pair => pair.Word));
        return Parsed<T>.Bad($"not one of {all}", nearest is null ? $"one of {all}" : $"did you mean {nearest}?");
    };

    /// <summary>An authentication method that needs no options and that HAProxy's check takes for "up".</summary>
    public static Parsed<string> AllowMethod(string text)
    {
        if (AllowMethods.Contains(text, StringComparer.Ordinal))
        {
            return Parsed<string>.Good(text);
        }

        var known = string.Join(", ", AllowMethods);
        return text.Trim().Length == 0
            ? Parsed<string>.Bad("empty; PostgreSQL would not load the rule", $"one of {known}")
            : Parsed<string>.Bad("no method that lets HAProxy's check in", $"one of {known}");
    }

    /// <summary>The one method that HAProxy's check takes for "down".</summary>
    public static Parsed<string> DenyMethod(string text) => text == "reject"
        ? Parsed<string>.Good(text)
        : Parsed<string>.Bad(
            text.Trim().Length == 0 ? "empty; PostgreSQL would not load the rule" : "HAProxy's check takes any authentication request for \"up\"",
            "deny: \"reject\"");
}
