namespace Harepd.Lab.Servers;

/// <summary>How a PostgreSQL of the lab is set up. The defaults are a small server with the durability of a real one.</summary>
public sealed record PostgresOptions
{
    /// <summary>False turns fsync off: faster, for tests that never judge durations.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>Megabytes, a power of two; PostgreSQL's default is 16. One makes promotion faster and checkpoints more frequent.</summary>
    public int WalSegmentMb { get; init; } = 16;

    public int MaxConnections { get; init; } = 100;

    /// <summary>Who may come in, below the block that the daemon manages: clients of the application, replication, repmgr.</summary>
    /// <remarks>Takes the block of addresses that all come from.</remarks>
    public Func<string, string> Hba { get; init; } = block => $"""
        # PostgreSQL client authentication of this lab
        local   all          all                         trust
        host    replication  repmgr      {block,-15} trust
        host    repmgr       repmgr      {block,-15} trust
        host    app          app         {block,-15} trust

        """;

    /// <summary>More lines for postgresql.conf.</summary>
    public string Settings { get; init; } = "";
}

/// <summary>How PostgreSQL is told to end; the names are those of pg_ctl.</summary>
public enum StopMode
{
    /// <summary>Sessions are ended and a shutdown checkpoint is written; standbys receive it.</summary>
    Fast,

    /// <summary>No checkpoint: recovery at the next start.</summary>
    Immediate,

    /// <summary>Waits for sessions to end by themselves.</summary>
    Smart,
}
