using System.Globalization;
using System.Text;

namespace Harepd.Postgres.Wire;

/// <summary>
/// A libpq connection string: its hosts, in either form, and the same string for another host. Only the values of <c>host</c> and <c>hostaddr</c> are looked at, so that an address in a
/// password or an application name is never taken for one. Source: PostgreSQL manual, "Connection Strings".
/// </summary>
internal static class ConnInfo
{
    /// <summary>
    /// The hosts in order, each as libpq would reach it: the <c>hostaddr</c> where there is one, else the <c>host</c>. May be names, addresses of
    /// either family, and socket folders. Null when libpq would reject the string.
    /// </summary>
    public static IReadOnlyList<string>? HostsOf(string text)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var isUri = text.StartsWith("postgresql://", StringComparison.Ordinal) || text.StartsWith("postgres://", StringComparison.Ordinal);
        return (isUri ? ReadUri(text[(text.IndexOf("//", StringComparison.Ordinal) + 2)..], settings) : ReadPairs(text, settings))
            ? Hosts(settings.GetValueOrDefault("host", ""), settings.GetValueOrDefault("hostaddr", ""))
            : null;
    }

    /// <summary>
    /// The string with another host and port and all else kept; <c>hostaddr</c> goes. Null for a URI, and where libpq would reject the string.
    /// The same input gives the same text, so that two of them can be compared.
    /// </summary>
    public static string? WithHost(string text, string host, int port)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        if (text.Contains("://", StringComparison.Ordinal) || !ReadPairs(text, settings))
        {
            return null;
        }

        settings.Remove("hostaddr");
        settings["host"] = host;
        settings["port"] = port.ToString(CultureInfo.InvariantCulture);
        return string.Join(' ', settings.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={Quoted(pair.Value)}"));
    }

    private static string Quoted(string value) => $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    private static string[]? Hosts(string host, string address)
    {
        if (address.Length == 0)
        {
            return host.Length == 0 ? [] : host.Split(',');
        }

        // libpq wants as many names as addresses where both are given; an empty address leaves its host to the name.
        var addresses = address.Split(',');
        var hosts = host.Length == 0 ? new string[addresses.Length] : host.Split(',');
        return hosts.Length != addresses.Length
            ? null
            : [.. addresses.Select((one, i) => one.Length > 0 ? one : hosts[i] ?? "")];
    }

    private static bool ReadPairs(string text, Dictionary<string, string> settings)
    {
        var at = 0;
        while (true)
        {
            Skip(text, ref at);
            if (at == text.Length)
            {
                return true;
            }

            var start = at;
            while (at < text.Length && text[at] != '=' && !IsSpace(text[at]))
            {
                at++;
            }

            var name = text[start..at];
            Skip(text, ref at);
            if (at == text.Length || text[at++] != '=' || name.Length == 0)
            {
                return false;
            }

            Skip(text, ref at);
            if (ReadValue(text, ref at) is not { } value)
            {
                return false;
            }

            settings[name] = value;
        }
    }

    private static string? ReadValue(string text, ref int at)
    {
        var value = new StringBuilder();
        var isQuoted = at < text.Length && text[at] == '\'';
        at += isQuoted ? 1 : 0;
        while (at < text.Length)
        {
            var c = text[at++];
            if (isQuoted ? c == '\'' : IsSpace(c))
            {
                return value.ToString();
            }

            if (c != '\\')
            {
                value.Append(c);
            }
            else if (at < text.Length)
            {
                value.Append(text[at++]);
            }
        }

        return isQuoted ? null : value.ToString();
    }

    private static bool ReadUri(string rest, Dictionary<string, string> settings)
    {
        var user = rest.IndexOfAny(['@', '/']);
        if (user >= 0 && rest[user] == '@')
        {
            rest = rest[(user + 1)..];
        }

        var end = rest.IndexOfAny(['/', '?']);
        if (ReadUriHosts(end < 0 ? rest : rest[..end]) is not { } hosts || hosts.Select(Decode).ToArray() is var decoded && decoded.Contains(null))
        {
            return false;
        }

        settings["host"] = string.Join(',', decoded);
        var query = rest.IndexOf('?');
        return query < 0 || rest[(query + 1)..].Split('&').All(pair => ReadParameter(pair, settings));
    }

    private static List<string>? ReadUriHosts(string text)
    {
        var hosts = new List<string>();
        foreach (var part in text.Split(','))
        {
            if (!part.StartsWith('['))
            {
                hosts.Add(part.Split(':')[0]);
            }
            else if (part.IndexOf(']') is var close && close > 1 && (close == part.Length - 1 || part[close + 1] == ':'))
            {
                hosts.Add(part[1..close]);
            }
            else
            {
                return null;
            }
        }

        return hosts;
    }

    private static bool ReadParameter(string pair, Dictionary<string, string> settings)
    {
        var equals = pair.IndexOf('=');
        if (equals <= 0 || pair.IndexOf('=', equals + 1) >= 0
            || Decode(pair[..equals]) is not { } name || Decode(pair[(equals + 1)..]) is not { } value)
        {
            return false;
        }

        settings[name] = value;
        return true;
    }

    private static string? Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        var source = Encoding.UTF8.GetBytes(text);
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] != '%')
            {
                bytes.Add(source[i]);
            }
            else if (i + 2 < source.Length && char.IsAsciiHexDigit((char)source[i + 1]) && char.IsAsciiHexDigit((char)source[i + 2])
                && Convert.ToByte($"{(char)source[i + 1]}{(char)source[i + 2]}", 16) is var value && value != 0)
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static void Skip(string text, ref int at)
    {
        while (at < text.Length && IsSpace(text[at]))
        {
            at++;
        }
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\v' or '\f';
}
