namespace Harepd.Core.Model;

/// <summary>How long the steps of a planned move may take; the pause itself is bounded by the order.</summary>
public sealed record MoveLimits
{
    /// <summary>The checkpoint beforehand, which no client waits for.</summary>
    public TimeSpan Checkpoint { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For HAProxy's answers to the hold; afterwards clients are cut instead.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long new clients wait more, while those that are here go on, for the standby to shut its own gate: what it does then would take its time from the pause.</summary>
    public TimeSpan Ready { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Clients come back to the new primary before the old one starts as its standby, which on shared processors takes from them.</summary>
    public TimeSpan Breath { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>A server's start, until it streams or takes writes.</summary>
    public TimeSpan Start { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>An old primary's way back: stop, rewind, start.</summary>
    public TimeSpan Rejoin { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>For so long an old primary must have stood beside the same holder before it is made its standby.</summary>
    public TimeSpan RejoinAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Between two tries of that.</summary>
    public TimeSpan RejoinRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What an order to the server may take beyond the moment at which it is given up.</summary>
    public TimeSpan Spare { get; init; } = TimeSpan.FromSeconds(3);
}
