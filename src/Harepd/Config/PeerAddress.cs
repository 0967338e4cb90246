using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harepd.Core.Model;

namespace Harepd.Config;

/// <summary>
/// A peer's <c>host:port</c> in the one spelling that every node uses, because the membership hash compares letters (R10): lower-case host
/// name, IP address as .NET prints it, IPv6 in brackets.
/// </summary>
/// <param name="Host">Host name or IP address, without brackets.</param>
/// <param name="Port">1 to 65535.</param>
internal readonly record struct PeerAddress(string Host, int Port)
{
    /// <summary>The member that listens here.</summary>
    public MemberId Member => new(ToString());

    /// <summary>The address without a look-up; null where the host is a name.</summary>
    public IPAddress? Ip => IPAddress.TryParse(Host, out var ip) ? ip : null;

    public override string ToString()
    {
        var host = Ip is { AddressFamily: AddressFamily.InterNetworkV6 } ? $"[{Host}]" : Host;
        return string.Create(CultureInfo.InvariantCulture, $"{host}:{Port}");
    }
}
