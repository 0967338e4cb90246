namespace Harepd.Config;

/// <summary>The node's own PostgreSQL. Passwords come from libpq's places, never from the file.</summary>
internal sealed record PostgresConfig
{
    /// <summary>Folder of the server's unix socket; default PGHOST, then /var/run/postgresql.</summary>
    public required string SocketDir { get; init; }

    /// <summary>1 to 65535; default PGPORT, then 5432.</summary>
    public required int Port { get; init; }

    /// <summary>Default PGUSER, then the operating system's user.</summary>
    public required string User { get; init; }

    /// <summary>Default PGDATABASE, then <c>postgres</c>.</summary>
    public required string Database { get; init; }

    /// <summary>From PGPASSWORD or the service; null looks into <see cref="PassFile"/>.</summary>
    public required Secret? Password { get; init; }

    /// <summary>PGPASSFILE, or <c>~/.pgpass</c>; it need not exist.</summary>
    public required string PassFile { get; init; }

    /// <summary>Absolute path; null asks the server.</summary>
    public required string? DataDirectory { get; init; }

    /// <summary>Absolute path of the server's programs; null finds them beside the running server.</summary>
    public required string? BinDirectory { get; init; }

    /// <summary>Shell command that starts the server; empty for pg_ctl.</summary>
    public required string StartCommand { get; init; }

    /// <summary>Whom a standby logs in as; null for repmgr's user, else <see cref="User"/>.</summary>
    public required string? ReplicationUser { get; init; }

    /// <summary>Rhythm of the light poll while all is well.</summary>
    public required TimeSpan PollInterval { get; init; }

    /// <summary>Rhythm while the lease is free or somebody reports a death.</summary>
    public required TimeSpan AlarmedPollInterval { get; init; }

    /// <summary>A fresh connection that takes longer than this means a hung server.</summary>
    public required TimeSpan HangTimeout { get; init; }

    /// <summary>Rhythm of the bounded write that notices a full or read-only disk.</summary>
    public required TimeSpan WriteProbeInterval { get; init; }
}
