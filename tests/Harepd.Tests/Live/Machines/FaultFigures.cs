namespace Harepd.Tests.Live.Machines;

/// <summary>What the clients' records of one run came to. Milliseconds; from the moment at which the fault struck.</summary>
internal sealed record FaultFigures
{
    public required string Fault { get; init; }

    /// <summary>The longest time without an acknowledged write, behind the HAProxy on the primary's side.</summary>
    public double? NearGapMs { get; init; }

    /// <summary>The same on the standby's side.</summary>
    public double? FarGapMs { get; init; }

    /// <summary>When the old primary acknowledged its last write, by any path; null when it stayed the primary.</summary>
    public double? OldPrimarysLastWriteMs { get; init; }

    public double TwoWritersMs { get; init; }

    public int Acknowledged { get; init; }

    /// <summary>Acknowledged, and not on the server that has the say now: the price of asynchronous replication.</summary>
    public int Lost { get; init; }

    public int LostThoughDelivered { get; init; }
}
