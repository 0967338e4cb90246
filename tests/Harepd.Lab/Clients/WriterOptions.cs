using Harepd.Lab.Machine;

namespace Harepd.Lab.Clients;

/// <summary>How a writer behaves.</summary>
public sealed record WriterOptions
{
    /// <summary>Sessions that write at the same time.</summary>
    public int Clients { get; init; } = 4;

    /// <summary>Writes a second over all clients, at most 1,000.</summary>
    public int Rate { get; init; } = 100;

    /// <summary>True: a session is kept until it fails, and a new one begun at once. False: a connection for each write.</summary>
    public bool KeepSession { get; init; } = true;

    /// <summary>True: a session goes on after a statement that fails, as one does that waits on a standby until it may write.</summary>
    public bool OutlivesErrors { get; init; }

    /// <summary>How long a client waits after a failed attempt; null: as after any other, its pace.</summary>
    public TimeSpan? RetryPause { get; init; }

    public TimeSpan ConnectLimit { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan CommandLimit { get; init; } = TimeSpan.FromSeconds(1);

    public string User { get; init; } = "app";

    public string Database { get; init; } = "app";

    /// <summary>The machine of the lab's network that the clients run on; null: the test's own.</summary>
    public NetworkMachine? From { get; init; }

    /// <summary>Attempts kept in memory; the writer stops at this many.</summary>
    public int MaxAttempts { get; init; } = 1_000_000;
}
