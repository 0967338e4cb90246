namespace Harepd.Tests.Live.Machines;

/// <summary>What the clients' records of one run came to. Milliseconds; moments count from the fault.</summary>
internal sealed record FaultFigures
{
    public required string Fault { get; init; }

    /// <summary>The longest time without an acknowledged write after the fault, behind the HAProxy on the primary's side.</summary>
    public double? NearGapMs { get; init; }

    /// <summary>The same on the standby's side.</summary>
    public double? FarGapMs { get; init; }

    /// <summary>The longest time without one behind either HAProxy, counted from the moment at which the fault was mended; null when nothing was.</summary>
    public double? MendGapMs { get; init; }

    /// <summary>When the old primary took its last write, by any path; null when it stayed the primary.</summary>
    public double? OldPrimarysLastWriteMs { get; init; }

    /// <summary>How long two servers both took writes, direct clients included; a rogue promotion is counted apart.</summary>
    public double? TwoWritersMs { get; init; }

    /// <summary>How long direct clients could write to a server that was promoted although another held the lease.</summary>
    public double? RogueMs { get; init; }

    /// <summary>How often a fence had to stop the server that has the say now.</summary>
    public int ServersStopped { get; init; }

    public int Acknowledged { get; init; }

    /// <summary>Acknowledged, and not on the server that has the say now: the price of asynchronous replication.</summary>
    public int Lost { get; init; }

    public int LostThoughDelivered { get; init; }

    /// <summary>Which gate was open when, as clients saw it: server, timeline, first and last write.</summary>
    public IReadOnlyList<string> Open { get; init; } = [];
}
