using Harepd.Postgres.Wire;

namespace Harepd.Postgres;

/// <summary>What the Postgres room needs to know of the local server. Made from the configuration.</summary>
internal sealed record PostgresSettings
{
    /// <summary>Folder of the unix socket, or an IP address.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>harepd's own user. Needs <c>pg_monitor</c>, and select and execute on <c>pg_hba_file_rules</c>; a superuser has both.</summary>
    public required string User { get; init; }

    public string Database { get; init; } = "postgres";

    public string? Password { get; init; }

    /// <summary>A file in libpq's .pgpass form, used where <see cref="Password"/> is null.</summary>
    public string? PassFile { get; init; }

    /// <summary>The data folder; null finds it through the server's socket, which only works while the server runs.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>A file in which the folder that was found is noted for later runs; null notes nothing.</summary>
    public string? FolderNote { get; init; }

    /// <summary>Folder of the server's programs; null takes those of the server that ran last.</summary>
    public string? BinDirectory { get; init; }

    /// <summary>A shell command that starts the server and returns when it runs; empty runs <c>pg_ctl</c>.</summary>
    public string StartCommand { get; init; } = "";

    /// <summary>Whom a standby logs in as where <c>primary_conninfo</c> was never set on this node.</summary>
    public string ReplicationUser { get; init; } = "";

    /// <summary>The database that the same user logs in to, where the primary is asked for something else.</summary>
    public string ReplicationDatabase { get; init; } = "postgres";

    /// <summary>This standby's name towards its primary, in the same case.</summary>
    public string NodeName { get; init; } = "";

    /// <summary>pg_hba.conf of this server.</summary>
    public required string HbaPath { get; init; }

    /// <summary>
    /// How long the server may keep a connection or a statement waiting before it counts as hung. Raising it delays the failover of a hung server,
    /// lowering it mistakes load for a hang.
    /// </summary>
    public TimeSpan HangTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between two readings while all is calm.</summary>
    public TimeSpan CalmInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two looks at the recovery state while alarmed; 2 ms cost about one percent of a core.</summary>
    public TimeSpan AlarmedInterval { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Between two fresh connections, which notice a hung postmaster that a session from before does not.</summary>
    public TimeSpan FreshConnectionInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between two write probes on a primary; zero switches them off.</summary>
    public TimeSpan WriteProbeInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What <c>primary_conninfo</c> begins with where none was ever set here; the host is missing.</summary>
    public string FirstConnInfo => $"user={ReplicationUser} application_name={NodeName}";

    /// <summary>The login that these settings describe.</summary>
    public PgEndpoint Endpoint(string part, params KeyValuePair<string, string>[] sessionSettings) => new()
    {
        Host = Host,
        Port = Port,
        User = User,
        Database = Database,
        Password = Password,
        PassFile = PassFile,
        ApplicationName = "harepd " + part,
        Settings = sessionSettings,
    };
}
