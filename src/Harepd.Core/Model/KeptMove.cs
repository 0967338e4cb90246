namespace Harepd.Core.Model;

/// <summary>
/// What is kept of a planned move, or restart, that is under way: enough for a daemon that died in the middle to bring its stopped server back. It opens nothing: the
/// lease is asked for by the ordinary way, and a server that does not fit it is left alone.
/// </summary>
public sealed record KeptMove
{
    /// <summary>Number of the move, above those of earlier ones of this member.</summary>
    public required long Number { get; init; }

    public bool IsRestart { get; init; }

    /// <summary>Who shall take over, and its node name; this member itself in a restart.</summary>
    public required MemberId To { get; init; }

    public required string ToName { get; init; }

    /// <summary>The lease under which the server was, or is to be, stopped.</summary>
    public required Term Term { get; init; }

    /// <summary>What the server wrote.</summary>
    public required TimelinePoint Timeline { get; init; }

    public required SystemId System { get; init; }

    /// <summary>The end of what the stopped server wrote; zero before it is known.</summary>
    public Lsn End { get; init; }

    /// <summary>The server is to stay stopped under the lease until then, by order; zero where it is not, and on the way back.</summary>
    public Instant HaltedUntil { get; init; }

    /// <summary>When it began.</summary>
    public required Instant Began { get; init; }
}

/// <summary>A move or restart that waits for its time, as it is kept.</summary>
/// <param name="To">Node name of the wanted standby; empty for the best.</param>
/// <param name="Pause">How long clients may wait.</param>
/// <param name="IsRestart">A restart, no move.</param>
/// <param name="Due">When it begins.</param>
public sealed record KeptSchedule(string To, TimeSpan Pause, bool IsRestart, Instant Due);
