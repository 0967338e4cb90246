using Harepd.Postgres.Hba;

namespace Harepd.Postgres.Fencing;

/// <summary>What a fence does when it cannot prove that clients are out.</summary>
internal sealed record FenceSettings
{
    /// <summary>Stop the postmaster where the fence cannot be confirmed in time. False leaves a server that may take writes; only for tests and for operators who know.</summary>
    public bool StopWhenUnconfirmed { get; init; } = true;

    /// <summary>
    /// The part of the budget that is kept for stopping the postmaster; at most half of what there is. An immediate stop takes 11 to 60 ms. Raising
    /// it leaves sessions less time to end by themselves.
    /// </summary>
    public TimeSpan StopReserve { get; init; } = TimeSpan.FromMilliseconds(120);

    /// <summary>How long pg_stat_activity may take before process titles alone decide.</summary>
    public TimeSpan AskSessions { get; init; } = TimeSpan.FromMilliseconds(20);
}

/// <summary>How the postmaster was stopped.</summary>
internal enum PostmasterStop
{
    /// <summary>It was not necessary, or not permitted.</summary>
    None,

    /// <summary>It was not running.</summary>
    WasDown,

    /// <summary>It obeyed an immediate shutdown.</summary>
    Immediate,

    /// <summary>It and its children were killed.</summary>
    Killed,

    /// <summary>It or a child of it is still there: no one may rely on this fence.</summary>
    Failed,
}

/// <summary>What a fence did and whether it holds. All spans are on the boot-time clock, from the start of the fence.</summary>
internal sealed record FenceResult
{
    /// <summary>True only when it is known that no ordinary client has or can get a session here.</summary>
    public required bool IsConfirmed { get; init; }

    public required PostmasterStop Stop { get; init; }

    /// <summary>The gate's part; null when it did not come back in time.</summary>
    public HbaResult? Hba { get; init; }

    /// <summary>Client sessions and logins under way that were told to end and are gone.</summary>
    public int SessionsEnded { get; init; }

    /// <summary>Those that were still there when the fence gave up waiting; they end with the postmaster.</summary>
    public int SessionsLeft { get; init; }

    /// <summary>Until the reload signal was out; zero when none was.</summary>
    public TimeSpan UntilSignal { get; init; }

    /// <summary>Until the server was known to obey the closed gate; zero when it was not.</summary>
    public TimeSpan UntilShut { get; init; }

    /// <summary>Until the last session was gone; zero when one was left.</summary>
    public TimeSpan UntilEmpty { get; init; }

    public TimeSpan Took { get; init; }

    /// <summary>One sentence for people: why it was ordered, and what stood in the way.</summary>
    public required string Detail { get; init; }
}
