using System.Globalization;
using System.Text;

namespace Harepd.Haproxy;

/// <summary>Where one of HAProxy's command sockets listens.</summary>
internal abstract record RuntimeAddress
{
    /// <summary>The kernel's <c>sun_path</c> holds 108 bytes with the closing zero.</summary>
    private const int LongestSocketPath = 107;

    private RuntimeAddress()
    {
    }

    /// <summary>A unix stream socket at an absolute path of at most 107 bytes.</summary>
    internal sealed record Unix(string Path) : RuntimeAddress
    {
        public override string ToString() => $"unix:{Path}";
    }

    /// <summary>A TCP listener; the host may be a name, which is resolved away from the closing path.</summary>
    internal sealed record Tcp(string Host, int Port) : RuntimeAddress
    {
        public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"tcp:[{Host}]:{Port}" : $"tcp:{Host}:{Port}";
    }

    /// <summary>Reads <c>unix:/path</c>, <c>/path</c>, <c>tcp:host:port</c>, <c>tcp:[v6]:port</c>; false leaves a reason for the operator.</summary>
    internal static bool TryParse(string text, out RuntimeAddress? address, out string reason)
    {
        address = null;
        if (text.StartsWith("unix:", StringComparison.Ordinal) || text.StartsWith('/'))
        {
            return TryParsePath(text.StartsWith('/') ? text : text[5..], out address, out reason);
        }

        if (text.StartsWith("tcp:", StringComparison.Ordinal))
        {
            return TryParseHost(text[4..], out address, out reason);
        }

        reason = $"'{text}' is neither unix:/path nor tcp:host:port";
        return false;
    }

    private static bool TryParsePath(string path, out RuntimeAddress? address, out string reason)
    {
        address = null;
        reason = "";
        if (!path.StartsWith('/'))
        {
            reason = $"the socket path '{path}' is not absolute";
        }
        else if (Encoding.UTF8.GetByteCount(path) > LongestSocketPath)
        {
            reason = $"the socket path '{path}' is longer than {LongestSocketPath} bytes";
        }
        else
        {
            address = new Unix(path);
        }

        return address is not null;
    }

    private static bool TryParseHost(string text, out RuntimeAddress? address, out string reason)
    {
        address = null;
        reason = $"'tcp:{text}' is not tcp:host:port with a port from 1 to 65535";
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535)
        {
            return false;
        }

        var host = text[..colon];
        var isBracketed = host.StartsWith('[') && host.EndsWith(']');
        host = isBracketed ? host[1..^1] : host;
        if (host.Length == 0 || host.AsSpan().ContainsAny(" \t;,") || (!isBracketed && host.Contains(':', StringComparison.Ordinal)))
        {
            return false;
        }

        address = new Tcp(host, port);
        reason = "";
        return true;
    }
}
