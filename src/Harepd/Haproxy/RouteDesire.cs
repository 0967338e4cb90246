using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>What HAProxy must do with this node's server in the write backend.</summary>
internal enum RouteKind
{
    /// <summary>No client reaches this server for writing: maint, and its sessions ended.</summary>
    Cut = 0,

    /// <summary>This node holds the lease: every other server is cut, then this one is ready.</summary>
    Write = 1,
}

/// <summary>The routing that this node wants from every HAProxy, stamped with the term of the lease behind it (R11).</summary>
internal sealed record RouteDesire
{
    /// <summary>The lease's term; a lower one than the newest seen is refused.</summary>
    public required Term Term { get; init; }

    public required RouteKind Kind { get; init; }

    /// <summary>Whether this node's server in the read backend takes clients.</summary>
    public required bool ReadReady { get; init; }

    /// <summary>An opening is refused, or undone, from this moment on (R6, boot-time clock). Later attempts ask for the lease's own deadline.</summary>
    public Instant? NotAfter { get; init; }

    /// <summary>With reads not ready, also end the sessions that read here; wanted when the server is fenced rather than behind.</summary>
    public bool EndReadSessions { get; init; }

    /// <summary>
    /// True only when every other server is known to be fenced already (a released lease). Then this server is made ready
    /// before the others are cut, which loses no new connection; otherwise the others are cut first (FIGURES section 3).
    /// </summary>
    public bool OthersAreFenced { get; init; }
}
