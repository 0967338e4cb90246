namespace Harepd.Config;

/// <summary>The lease's durations on the boot-time clock (DESIGN section 4). Always true: renewal, fence and round trip fit in the duration.</summary>
internal sealed record LeaseConfig
{
    public required LeaseProfile Profile { get; init; }

    /// <summary>D: how long a lease runs, counted by its holder from before its first message (R1).</summary>
    public required TimeSpan Duration { get; init; }

    public required TimeSpan RenewInterval { get; init; }

    /// <summary>F: the holder begins to fence this long before its deadline.</summary>
    public required TimeSpan FenceBudget { get; init; }

    /// <summary>D_max: longer leases are refused, and a voter that starts is silent for A(D_max) (R7).</summary>
    public required TimeSpan MaxDuration { get; init; }

    /// <summary>ρ: how far two clocks' rates may differ, in parts per million (R8).</summary>
    public required int DriftPpm { get; init; }
}

/// <summary>Sets of durations that fit together; single durations may still be given.</summary>
internal enum LeaseProfile
{
    /// <summary>3 s, renewed every 500 ms, 600 ms to fence.</summary>
    Default = 0,

    /// <summary>1 s, renewed every 200 ms, 300 ms to fence: for hosts that do not stall.</summary>
    Fast = 1,
}
