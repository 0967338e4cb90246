using System.Buffers;

namespace Harepd.Haproxy;

/// <summary>The names that this node has in HAProxy's configuration. All endpoints use the same names.</summary>
/// <param name="WriteBackend">The backend (or <c>listen</c> section) that carries writes.</param>
/// <param name="ReadBackend">The one that carries read-only traffic; null when there is none.</param>
/// <param name="ServerName">This node's server in both.</param>
internal sealed record HaproxyTarget(string WriteBackend, string? ReadBackend, string ServerName)
{
    /// <summary>A server of this name parks clients during planned moves (FIGURES section 3); it is never cut as a rival.</summary>
    internal const string HoldServer = "hold";

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    /// <summary>True when reads are steered apart from writes.</summary>
    public bool SteersReads => ReadBackend is not null && !string.Equals(ReadBackend, WriteBackend, StringComparison.Ordinal);

    /// <summary>
    /// True for a name that HAProxy accepts (letters, digits, <c>-_.:</c>). Anything else could end the command and begin
    /// another one, so it is refused before a socket is opened.
    /// </summary>
    internal static bool IsName(string name) => name.Length is > 0 and <= 128 && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    /// <summary>The first fault of the three names for the operator, or null.</summary>
    internal string? Fault() =>
        !IsName(WriteBackend) ? $"'{WriteBackend}' is no HAProxy backend name"
        : ReadBackend is not null && !IsName(ReadBackend) ? $"'{ReadBackend}' is no HAProxy backend name"
        : !IsName(ServerName) ? $"'{ServerName}' is no HAProxy server name"
        : string.Equals(ServerName, HoldServer, StringComparison.Ordinal) ? $"'{HoldServer}' is kept for the server that parks clients"
        : null;
}
