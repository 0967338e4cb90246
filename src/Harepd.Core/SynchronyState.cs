using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core;

/// <summary>What a primary knows of its own waiting for standbys (ADR 0018). Begins anew with each run of the server and each timeline.</summary>
public sealed record SynchronyState
{
    /// <summary>What every commit acknowledged so far has: applied, taken in by all sessions, and caught up with.</summary>
    public Synchrony Proven { get; init; } = Synchrony.None;

    /// <summary>What the server waits for, as seen last; null before the first look.</summary>
    public Synchrony? InForce { get; init; }

    /// <summary>Since when that is seen.</summary>
    public Instant Since { get; init; }

    /// <summary>It was seen to be taken in by the server; <see cref="Instant.Zero"/> before.</summary>
    public Instant TakenAt { get; init; }

    /// <summary>What was written up to here may have been acknowledged without it; zero while that is not known.</summary>
    public Lsn From { get; init; }

    /// <summary>The run of the server and its timeline that all this is of.</summary>
    public (DateTime? Started, TimelinePoint Timeline) Run { get; init; }

    /// <summary>Managed: what is about to be applied; null when nothing is.</summary>
    public Synchrony? Target { get; init; }

    /// <summary>Managed: the weakest of what the server was told and is not seen to do yet; null when nothing is open.</summary>
    public Synchrony? Open { get; init; }

    /// <summary>Managed: what the server was told last.</summary>
    public Synchrony? Told { get; init; }

    /// <summary>Managed: sequence of the order that is waited for; 0 when none is.</summary>
    public long Awaited { get; init; }

    /// <summary>Managed: when the last order was answered as done; <see cref="Instant.Forever"/> while none is.</summary>
    public Instant DoneAt { get; init; } = Instant.Forever;

    /// <summary>Managed: no order before this.</summary>
    public Instant NotBefore { get; init; }

    /// <summary>Managed: when each standby that is waited for was seen to stream and get on last, under this lease.</summary>
    public ImmutableSortedDictionary<string, StreamSeen> Streamed { get; init; } = ImmutableSortedDictionary<string, StreamSeen>.Empty;

    /// <summary>Managed: how far the server had written at the look before the last.</summary>
    public Lsn WrittenBefore { get; init; }

    /// <summary>Managed: how far it had written at the last look.</summary>
    public Lsn Written { get; init; }

    /// <summary>Managed: the lease that <see cref="Streamed"/> is of.</summary>
    public Term Reign { get; init; }

    /// <summary>The server was a standby in this run of the daemon, and this is its first lease since: whom it does not see it need not wait for.</summary>
    public bool WasStandby { get; init; }

    /// <summary>Managed: when that lease began, or this run of the daemon under it.</summary>
    public Instant ReignBegan { get; init; }

    /// <summary>Managed: the setting was written at least once under this lease, so that what is on disk and what is in force are the same.</summary>
    public bool IsOwn { get; init; }

    /// <summary>No renewal is hurried before this.</summary>
    public Instant NextHurry { get; init; }

    /// <summary>What a majority had noted when that was recorded last.</summary>
    public Synchrony Recorded { get; init; } = Synchrony.None;

    /// <summary>A trouble that was recorded.</summary>
    public string Trouble { get; init; } = "";

    /// <summary>What may be said to the voters: nothing that is stronger than what was, is, or may at any moment be in force.</summary>
    public Synchrony Statement => Synchrony.Weaker(Synchrony.Weaker(Proven, Target ?? Proven), Open ?? Proven);
}

/// <summary>A standby's stream as it was seen to get on.</summary>
/// <param name="At">The look.</param>
/// <param name="Flushed">What it had on disk.</param>
public readonly record struct StreamSeen(Instant At, Lsn Flushed);

/// <summary>What a standby about to take over asks all others: how far they received.</summary>
/// <param name="Ballot">Of the election whose promises are a majority.</param>
/// <param name="At">The clock when they were.</param>
public sealed record LossProof(Ballot Ballot, Instant At)
{
    /// <summary>Nothing acknowledged can be lacking: this is what the last primary waited for, and stays said until there is another one.</summary>
    public Synchrony? Given { get; init; }
}

/// <summary>Another member's question how far this standby received.</summary>
/// <param name="Ballot">That of the question.</param>
/// <param name="At">The clock when it was heard first.</param>
public sealed record PositionQuestion(Ballot Ballot, Instant At);
