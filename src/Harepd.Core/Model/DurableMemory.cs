using System.Collections.Immutable;

namespace Harepd.Core.Model;

/// <summary>
/// What a node that judges failovers should still know after a restart. Advice, never safety: losing it costs a wait between failovers or an operator's pause. Moments are
/// on this boot's clock; before the boot they are negative.
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
}
