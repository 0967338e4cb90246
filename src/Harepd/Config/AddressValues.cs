using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harepd.Haproxy;

namespace Harepd.Config;

/// <summary>How addresses are read. One spelling each: two spellings of one member would be two members (R10).</summary>
internal static class AddressValues
{
    /// <summary>An IP address, IPv4 or IPv6, in its usual spelling; the wildcard only where a listener may have it.</summary>
    public static Func<string, Parsed<IPAddress>> Ip(bool allowAny) => text =>
    {
        if (!IPAddress.TryParse(text, out var ip) || text.Contains('%', StringComparison.Ordinal) || text.Contains('[', StringComparison.Ordinal))
        {
            return Parsed<IPAddress>.Bad("not an IP address", "an address such as 10.0.0.5 or fd00::5, without a port");
        }

        if (ip.ToString() != text)
        {
            return Parsed<IPAddress>.Bad("an unusual spelling of an IP address", $"write {ip}");
        }

        return !allowAny && !IsOneHost(ip)
            ? Parsed<IPAddress>.Bad("not the address of one host", "the address of one host")
            : Parsed<IPAddress>.Good(ip);
    };

    /// <summary><c>host:port</c>.</summary>
    public static Parsed<PeerAddress> Peer(string text)
    {
        const string example = "host:port, such as 10.0.0.5:10000 or [fd00::5]:10000";
        var colon = text.LastIndexOf(':');
        if (text.Contains("://", StringComparison.Ordinal))
        {
            return Parsed<PeerAddress>.Bad("a URL", $"without the scheme: {text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..].TrimEnd('/')}");
        }

        if (colon < 0 || text.EndsWith(']') || (IPAddress.TryParse(text, out var bare) && bare.AddressFamily == AddressFamily.InterNetworkV6 && text[0] != '['))
        {
            return Parsed<PeerAddress>.Bad("no port", example);
        }

        var port = Values.Port()(text[(colon + 1)..]);
        if (port.Problem is not null)
        {
            return Parsed<PeerAddress>.Bad("no valid port behind the last colon", "a port from 1 to 65535");
        }

        var host = Host(text[..colon]);
        return host.Problem is null
            ? Canonical(text, new PeerAddress(host.Value!, port.Value))
            : Parsed<PeerAddress>.Bad(host.Problem, host.Mend == "" ? example : host.Mend!);
    }

    /// <summary>An address or a network in CIDR form, as a rule of pg_hba.conf takes it; host names are refused.</summary>
    public static Parsed<IPNetwork> Network(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var ip = Ip(allowAny: slash >= 0)(slash < 0 ? text : text[..slash]);
        if (ip.Problem is not null)
        {
            return Parsed<IPNetwork>.Bad($"{ip.Problem}; PostgreSQL would look up a name at every connection", ip.Mend!);
        }

        var bits = ip.Value!.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        if (slash < 0)
        {
            return Parsed<IPNetwork>.Good(new IPNetwork(ip.Value, bits));
        }

        var prefix = Values.Whole(1, bits)(text[(slash + 1)..]);
        if (prefix.Problem is not null)
        {
            return Parsed<IPNetwork>.Bad("no valid prefix length", string.Create(CultureInfo.InvariantCulture, $"a length from 1 to {bits}"));
        }

        // .NET 10 masks host bits silently; whoever wrote them may have meant the one host.
        var masked = Masked(ip.Value, prefix.Value);
        return masked.Equals(ip.Value)
            ? Parsed<IPNetwork>.Good(new IPNetwork(masked, prefix.Value))
            : Parsed<IPNetwork>.Bad("host bits are set", $"{masked}/{prefix.Value}, or {ip.Value} alone");
    }

    /// <summary>A HAProxy as its room reads it: <c>unix:/path</c> or <c>tcp:host:port</c>, and behind a comma its master socket.</summary>
    public static Parsed<HaproxyEndpoint> Endpoint(string text)
    {
        if (HaproxyEndpoint.TryParse(text, out var endpoint, out var reason))
        {
            return Parsed<HaproxyEndpoint>.Good(endpoint!);
        }

        var mend = Peer(text).Problem is null ? $"tcp:{text}" : "unix:/run/haproxy/admin.sock or tcp:10.0.0.5:9999";
        return Parsed<HaproxyEndpoint>.Bad(reason, mend);
    }

    private static Parsed<PeerAddress> Canonical(string text, PeerAddress peer) => peer.ToString() == text
        ? Parsed<PeerAddress>.Good(peer)
        : Parsed<PeerAddress>.Bad("an unusual spelling; all nodes compare it letter for letter", $"write {peer}");

    private static Parsed<string> Host(string host)
    {
        var inner = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        if (IPAddress.TryParse(inner, out var ip) && !inner.Contains('%', StringComparison.Ordinal))
        {
            return IsOneHost(ip) ? Parsed<string>.Good(ip.ToString()) : Parsed<string>.Bad("not the address of one host", "the address of one host");
        }

        var labels = inner.Split('.');
        var good = inner.Length is > 0 and <= 253 && labels.All(IsLabel) && !labels[^1].All(char.IsAsciiDigit);
        return good ? Parsed<string>.Good(inner.ToLowerInvariant()) : Parsed<string>.Bad("neither a host name nor an IP address", "");
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static bool IsOneHost(IPAddress ip) =>
        !ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any) && !ip.Equals(IPAddress.Broadcast)
        && !ip.IsIPv6Multicast && !(ip.AddressFamily == AddressFamily.InterNetwork && ip.GetAddressBytes()[0] is >= 224 or 0);

    private static IPAddress Masked(IPAddress ip, int prefix)
    {
        var bytes = ip.GetAddressBytes();
        for (var bit = prefix; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPAddress(bytes);
    }
}
