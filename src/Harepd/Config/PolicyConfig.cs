using System.Collections.Immutable;
using System.Net;
using Harepd.Core;

namespace Harepd.Config;

/// <summary>What a fence closes (DESIGN section 5).</summary>
/// <param name="Scope">Whose sessions it ends and refuses.</param>
/// <param name="Exceptions">PostgreSQL users that it spares.</param>
/// <param name="StopPostmaster">Stop the server when its sessions cannot be ended within the budget.</param>
/// <param name="RequireGuard">Without the guard process no lease is asked for, and one that is held is given up.</param>
/// <param name="WatchdogDevice">The machine's watchdog, which the guard feeds while a lease is held; null: none.</param>
internal sealed record FenceConfig(FenceScope Scope, ImmutableArray<string> Exceptions, bool StopPostmaster, bool RequireGuard, string? WatchdogDevice);

/// <summary>How far a fence reaches.</summary>
internal enum FenceScope
{
    /// <summary>Every ordinary client: all but replication, repmgr's and harepd's own users, local sockets and the exceptions.</summary>
    Clients = 0,

    /// <summary>Only HAProxy's check users, the Go daemon's way.</summary>
    Checks = 1,
}

/// <summary>The health answers' listener.</summary>
/// <param name="BindAddress">Default: the gRPC listener's address.</param>
/// <param name="BindPort">0 is off.</param>
/// <param name="AgentPort">Port of the agent-check answers; 0 is off.</param>
/// <param name="Tls">Whether the health answers speak HTTPS, with the certificates of gRPC.</param>
internal sealed record HttpConfig(IPAddress BindAddress, int BindPort, int AgentPort, HttpTls Tls)
{
    /// <summary>True when a port is given.</summary>
    public bool IsEnabled => BindPort != 0;
}

/// <summary>How the health answers are protected.</summary>
internal enum HttpTls
{
    /// <summary>Plain text.</summary>
    Off = 0,

    /// <summary>HTTPS; a caller may show a certificate, and one that is shown must be signed by the authority.</summary>
    On = 1,

    /// <summary>HTTPS, and only for callers with such a certificate.</summary>
    Require = 2,
}

/// <summary>How far behind a standby may be and still serve read-only traffic.</summary>
internal sealed record ReadsConfig(long MaxLagBytes, TimeSpan MaxLagTime, TimeSpan Settle, PrimaryReads Primary);

/// <summary>Who promotes a standby, which, and when. Only <see cref="Manager"/> counts unless that is harepd, or none, which judges and does nothing.</summary>
internal sealed record FailoverConfig
{
    public FailoverManager Manager { get; init; }

    /// <summary>This node is never promoted by harepd.</summary>
    public bool NoFailover { get; init; }

    /// <summary>Among equally advanced standbys the highest is promoted.</summary>
    public int Priority { get; init; } = 100;

    /// <summary>A standby that lacks more of the lost primary's last known position is not promoted.</summary>
    public long MaxLagBytes { get; init; } = 16L << 20;

    /// <summary>What a standby does that lacks something of the lost primary.</summary>
    public LossAnswer OnPossibleLoss { get; init; }

    public CrashAnswer OnCrash { get; init; }

    /// <summary>A crashed primary is started again: where nobody takes over, and with <c>rejoin: auto</c> where somebody did.</summary>
    public bool StartCrashed { get; init; } = true;

    /// <summary>How long a primary that was stopped cleanly, is starting, or lives without the lease is waited for.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What becomes of an old primary that returns beside a new one.</summary>
    public RejoinAnswer Rejoin { get; init; }

    /// <summary>By when a promotion must be done.</summary>
    public TimeSpan PromoteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between two automatic failovers; each further one within an hour doubles it, up to <see cref="MaxInterval"/>. Zero: no limit.</summary>
    public TimeSpan MinInterval { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan MaxInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A standby is promoted by itself only where nothing acknowledged can be lost.</summary>
    public bool SynchronousOnly { get; init; }

    /// <summary>Who sets <c>synchronous_standby_names</c> on the holder.</summary>
    public SynchronousMode Synchronous { get; init; }

    /// <summary>Managed: so many standbys must have a commit before it is acknowledged.</summary>
    public int SynchronousCount { get; init; } = 1;

    /// <summary>Managed: a standby that does not stream is waited for no longer than this.</summary>
    public TimeSpan SynchronousDegradeAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Managed: commits wait for a standby even while there is none.</summary>
    public bool SynchronousStrict { get; init; }
}

/// <summary>Who sets <c>synchronous_standby_names</c>.</summary>
internal enum SynchronousMode
{
    /// <summary>The operator.</summary>
    Off = 0,

    /// <summary>harepd, on the holder of the lease.</summary>
    Managed = 1,
}

/// <summary>What a standby does that lacks something of the lost primary's last known position.</summary>
internal enum LossAnswer
{
    /// <summary>It takes over, within maxLagBytes; what may be lost is recorded.</summary>
    Promote = 0,

    /// <summary>It goes on serving readers and takes over when an operator accepts the loss.</summary>
    ReadOnly = 1,
}

/// <summary>What follows when the primary's postmaster died on a living host.</summary>
internal enum CrashAnswer
{
    /// <summary>Another server takes over at once.</summary>
    Failover = 0,

    /// <summary>Whoever starts PostgreSQL on that host gets the stop grace to bring it back.</summary>
    Restart = 1,
}

/// <summary>What becomes of an old primary that returns beside a new one.</summary>
internal enum RejoinAnswer
{
    /// <summary>It stays shut until an operator says so.</summary>
    Advise = 0,

    /// <summary>It is made a standby of the new one.</summary>
    Auto = 1,
}

/// <summary>Who promotes (DESIGN section 6).</summary>
internal enum FailoverManager
{
    /// <summary>repmgrd or an operator with repmgr; harepd follows and steers.</summary>
    Repmgr = 0,

    /// <summary>harepd, and only the holder of the lease.</summary>
    Harepd = 1,

    /// <summary>Nobody but an operator.</summary>
    None = 2,
}
