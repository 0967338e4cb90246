using System.Collections.Immutable;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core.Decide;

/// <summary>All that the judgement on a failover rests on, at one moment of this node's clock.</summary>
public sealed record FailoverQuestion
{
    public required Instant Now { get; init; }

    public required MemberId Self { get; init; }

    public required string NodeName { get; init; }

    public required FailoverPolicy Policy { get; init; }

    public required ServerObservation Server { get; init; }

    public required ClusterView View { get; init; }

    /// <summary>How every member looks from here, this one included.</summary>
    public required ImmutableSortedDictionary<MemberId, Sighting> Sightings { get; init; }

    /// <summary>Null when nobody ever told of a primary.</summary>
    public required LastPrimary? Last { get; init; }

    /// <summary>The own voter knows of no live lease but this member's own; true as well where the voter lives elsewhere.</summary>
    public required bool IsLeaseFree { get; init; }

    /// <summary>Who has that lease; null while it is free.</summary>
    public MemberId? LeaseHolder { get; init; }

    /// <summary>When the live lease of another ends, by the own voter; <see cref="Instant.Forever"/> where none is known.</summary>
    public Instant LeaseEnds { get; init; } = Instant.Forever;

    /// <summary>The last promotion here failed: no attempt before this.</summary>
    public Instant FailedUntil { get; init; }

    /// <summary>An operator paused failovers until then.</summary>
    public Instant PausedUntil { get; init; }

    /// <summary>Why this node takes over nothing, by an operator's order for it alone; empty where there is none.</summary>
    public string Withheld { get; init; } = "";

    /// <summary>An operator ordered this standby to take over: no limit, pause, delay or grace of the automatic failover counts.</summary>
    public bool IsOrdered { get; init; }

    /// <summary>And accepted that what it lacks, or may lack, is lost.</summary>
    public bool AcceptsLoss { get; init; }

    /// <summary>Since when only better candidates stand in the way; null when they do not.</summary>
    public Instant? OutrankedSince { get; init; }

    /// <summary>The automatic failovers that are remembered.</summary>
    public ImmutableArray<Instant> Failovers { get; init; } = [];

    /// <summary>What the own voter noted last of what a holder waits for; null where it knows nothing. Only a hint: a majority is asked before anything is done.</summary>
    public SynchronyNote? Note { get; init; }

    /// <summary>Why a majority's notes forbade it a moment ago; empty when they did not.</summary>
    public string Doubt { get; init; } = "";

    /// <summary>A server streams as long as its last message is younger than this.</summary>
    public required TimeSpan StreamSilence { get; init; }

    /// <summary>A member is silent after this.</summary>
    public required TimeSpan SilentAfter { get; init; }

    /// <summary>An observation older than this is no evidence.</summary>
    public required TimeSpan Freshness { get; init; }
}
