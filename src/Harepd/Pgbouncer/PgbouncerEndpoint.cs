using System.Globalization;
using System.Net;

namespace Harepd.Pgbouncer;

/// <summary>
/// Where a PgBouncer listens: <c>unix:/run/postgresql/.s.PGSQL.6432</c> or <c>tcp:address:port</c>. No host name: nothing that turns clients away from
/// a server may wait for a resolver.
/// </summary>
/// <param name="Name">The configuration's own text, used in logs and answers.</param>
/// <param name="Host">The socket's folder, or an IP address.</param>
/// <param name="Port">The port, which also names the socket.</param>
internal sealed record PgbouncerEndpoint(string Name, string Host, int Port)
{
    private const string SocketMark = "/.s.PGSQL.";

    /// <summary>The kernel's <c>sun_path</c> holds 108 bytes with the closing zero.</summary>
    private const int LongestSocketPath = 107;

    public override string ToString() => Name;

    /// <summary>Reads the configuration's text; false leaves a reason for the operator. Pure.</summary>
    internal static bool TryParse(string text, out PgbouncerEndpoint? endpoint, out string reason)
    {
        endpoint = text.StartsWith("unix:/", StringComparison.Ordinal) ? Unix(text) : text.StartsWith("tcp:", StringComparison.Ordinal) ? Tcp(text) : null;
        reason = endpoint is null ? "neither a PgBouncer's socket nor tcp:address:port" : "";
        return endpoint is not null;
    }

    private static PgbouncerEndpoint? Unix(string text)
    {
        var path = text[5..];
        var mark = path.LastIndexOf(SocketMark, StringComparison.Ordinal);
        var isSocket = mark > 0 && path.Length <= LongestSocketPath && !path.Any(char.IsControl);
        return isSocket && PortOf(path[(mark + SocketMark.Length)..]) is { } port ? new PgbouncerEndpoint(text, path[..mark], port) : null;
    }

    private static PgbouncerEndpoint? Tcp(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon > 4 ? text[4..colon] : "";
        host = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        return PortOf(text[(colon + 1)..]) is { } port && IPAddress.TryParse(host, out var ip) ? new PgbouncerEndpoint(text, ip.ToString(), port) : null;
    }

    private static int? PortOf(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65_535 ? port : null;
}
