using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Core;

/// <summary>What a node remembers of the own server's crashes.</summary>
public sealed record CrashState
{
    /// <summary>Since when the server has lain crashed, with nothing under way; null while it does not.</summary>
    public Instant? Since { get; init; }

    /// <summary>This run saw it as a running primary last: whoever else starts it at a boot is not hurried.</summary>
    public bool WasSeen { get; init; }

    /// <summary>What it wrote when it was last seen; a new primary's data folder learns of its timeline with the first checkpoint.</summary>
    public TimelinePoint Timeline { get; init; }

    /// <summary>How far it had written when it was last seen; zero where it was not.</summary>
    public Lsn Written { get; init; }

    /// <summary>When it was started by itself; bounded, the oldest are forgotten.</summary>
    public ImmutableArray<Instant> Starts { get; init; } = [];

    /// <summary>Starting it again has failed, or must wait: the others need not wait for it. Until it runs.</summary>
    public bool IsGivenUp { get; init; }

    /// <summary>When time alone may change something.</summary>
    public Instant NextWake { get; init; } = Instant.Forever;
}
