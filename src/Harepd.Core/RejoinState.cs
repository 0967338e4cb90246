using Harepd.Core.Model;

namespace Harepd.Core;

/// <summary>What a node remembers of an old primary's return as a standby.</summary>
public sealed record Rejoin
{
    /// <summary>Since when the own server, a primary without the lease, has stood beside the same holder; null while it does not.</summary>
    public Instant? Since { get; init; }

    /// <summary>That holder's lease.</summary>
    public Term Beside { get; init; }

    /// <summary>Number of the order under way; zero when there is none.</summary>
    public long Awaited { get; init; }

    /// <summary>The order under way is not waited for beyond this.</summary>
    public Instant Ends { get; init; } = Instant.Forever;

    /// <summary>After one that failed: no other before this.</summary>
    public Instant NotBefore { get; init; }

    /// <summary>The last one failed in a way that only a person can mend.</summary>
    public bool IsBroken { get; init; }

    /// <summary>An operator wants it, whatever the policy says.</summary>
    public bool IsOrdered { get; init; }

    /// <summary>That it could be done was told.</summary>
    public bool IsAdvised { get; init; }

    /// <summary>When time alone may change something.</summary>
    public Instant NextWake { get; init; } = Instant.Forever;
}
