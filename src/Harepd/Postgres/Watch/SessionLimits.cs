using System.Globalization;

namespace Harepd.Postgres.Watch;

/// <summary>Settings that each session of the watch asks for at its login.</summary>
internal static class SessionLimits
{
    /// <summary>
    /// For a session that only reads: what it sees of <c>synchronous_commit</c> is the server's.
    /// </summary>
    public static KeyValuePair<string, string>[] OfReader(PostgresSettings settings) => [Of(settings)[0]];

    /// <summary>
    /// The server ends what the watch has given up waiting for, and no commit of the watch waits for a standby: a missing synchronous standby is not a
    /// server that cannot write.
    /// </summary>
    public static KeyValuePair<string, string>[] Of(PostgresSettings settings) =>
    [
        new("statement_timeout", Math.Max(1, (long)settings.HangTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)),
        new("synchronous_commit", "local"),
    ];
}
