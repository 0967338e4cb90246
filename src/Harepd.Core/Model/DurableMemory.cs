using System.Collections.Immutable;

namespace Harepd.Core.Model;

/// <summary>
/// What a node that judges failovers should still know after a restart. Advice, never safety: losing it costs a wait between failovers, an operator's pause, or
/// a planned move's way back. Moments are on this boot's clock; before the boot they are negative.
/// </summary>
public sealed record DurableMemory
{
    /// <summary>When automatic failovers happened; bounded.</summary>
    public ImmutableArray<Instant> Failovers { get; init; } = [];

    /// <summary>The lease of the failover counted last.</summary>
    public Term CountedTerm { get; init; }

    /// <summary>Number of the last pause heard of; zero before the first.</summary>
    public long PauseNumber { get; init; }

    /// <summary>It ends then; in the past, or zero, when it is over.</summary>
    public Instant PausedUntil { get; init; }

    /// <summary>This node is in maintenance until then; zero when it is not.</summary>
    public Instant MaintainedUntil { get; init; }

    /// <summary>This node is fenced by an operator's order until then; zero when it is not.</summary>
    public Instant FencedUntil { get; init; }

    /// <summary>The server, which is no holder's, was stopped by an operator's order, or was being stopped.</summary>
    public bool IsStopped { get; init; }

    /// <summary>The planned move under way; null without one. From before the server is stopped until the move is over.</summary>
    public KeptMove? Move { get; init; }

    /// <summary>A move that waits for its time; null without one.</summary>
    public KeptSchedule? Scheduled { get; init; }
}
