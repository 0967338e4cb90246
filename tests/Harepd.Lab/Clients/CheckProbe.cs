using System.Net.Sockets;
using Harepd.Lab.Servers;

namespace Harepd.Lab.Clients;

/// <summary>What HAProxy's <c>option pgsql-check</c> would make of a server.</summary>
public enum CheckAnswer
{
    /// <summary>An authentication request: HAProxy calls the server UP.</summary>
    Up,

    /// <summary>An error, such as a reject by pg_hba.conf: DOWN.</summary>
    Refused,

    /// <summary>No connection or no answer: DOWN.</summary>
    NoAnswer,
}

/// <summary>Asks a server what HAProxy's check asks, from HAProxy's address.</summary>
public static class CheckProbe
{
    public const string ReadWriteUser = "harw";
    public const string ReadOnlyUser = "haro";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>One check.</summary>
    public static async Task<CheckAnswer> AskAsync(PostgresServer server, HaproxyServer haproxy, string user = ReadWriteUser)
    {
        try
        {
            using var session = await WireSession.OpenAsync(server.Address, server.Port, Limit, haproxy.Address, haproxy.Machine);
            await session.SendStartupAsync(user, user, Limit);
            return await session.FirstAnswerAsync(Limit) == 'R' ? CheckAnswer.Up : CheckAnswer.Refused;
        }
        catch (Exception e) when (e is SocketException or WireException or OperationCanceledException)
        {
            return CheckAnswer.NoAnswer;
        }
    }
}
