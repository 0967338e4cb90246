namespace Harepd.Lab.Servers;

/// <summary>How HAProxy looks at the servers by itself, beside what the daemon commands.</summary>
public enum HaproxyCheck
{
    /// <summary>No check: only the runtime API decides.</summary>
    None,

    /// <summary><c>option pgsql-check</c> with the read-write and read-only check users, every second (the Go daemon's way).</summary>
    Pgsql,
}

/// <summary>How HAProxy of the lab is set up.</summary>
public sealed record HaproxyOptions
{
    public HaproxyCheck Check { get; init; } = HaproxyCheck.None;

    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Servers begin in maintenance, so that only the daemon opens them.</summary>
    public bool StartDisabled { get; init; } = true;

    /// <summary>Keeps a state file over reloads. Without it a reload reverts the runtime state to the configuration.</summary>
    public bool StateFile { get; init; }

    /// <summary>The daemons are told of the master socket, so that they can end what a worker of before a reload still serves. On loopback alone.</summary>
    public bool MasterSocket { get; init; }
}
