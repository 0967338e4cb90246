namespace Harepd.Lab.Servers;

/// <summary>How repmgrd is tuned. The defaults are the fastest that its whole seconds allow.</summary>
public sealed record RepmgrOptions
{
    public int MonitorIntervalSeconds { get; init; } = 1;

    public int ReconnectAttempts { get; init; } = 1;

    public int ReconnectIntervalSeconds { get; init; } = 1;

    public PostgresOptions Postgres { get; init; } = new();

    /// <summary>The witness's own PostgreSQL; repmgr keeps a copy of its tables there.</summary>
    public bool Witness { get; init; } = true;

    /// <summary>The third node is a second standby instead of a witness.</summary>
    public bool ThreeDataNodes { get; init; }
}
