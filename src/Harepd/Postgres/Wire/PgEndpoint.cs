namespace Harepd.Postgres.Wire;

/// <summary>Where and as whom to log in to the local PostgreSQL.</summary>
internal sealed record PgEndpoint
{
    /// <summary>The folder of the unix socket, or an IP address. No host name: nothing that closes may wait for a resolver.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string User { get; init; }

    public string Database { get; init; } = "postgres";

    /// <summary>Sent only when the server asks; null looks it up in <see cref="PassFile"/>.</summary>
    public string? Password { get; init; }

    /// <summary>A file in libpq's .pgpass form; null for none.</summary>
    public string? PassFile { get; init; }

    public string ApplicationName { get; init; } = "harepd";

    /// <summary>Session settings given at start-up, such as <c>statement_timeout</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>Names in statements mean PostgreSQL's own functions whatever schemas the database holds. False for what is no PostgreSQL.</summary>
    public bool PinsSearchPath { get; init; } = true;

    public bool IsUnixSocket => Host.StartsWith('/');

    public override string ToString() => IsUnixSocket ? $"{Host}/.s.PGSQL.{Port}" : $"{Host}:{Port}";
}
