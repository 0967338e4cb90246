namespace Harepd.Core.Model;

/// <summary>Who promotes a standby (DESIGN section 6).</summary>
public enum Promoter
{
    /// <summary>repmgr or a person; this machine follows and steers.</summary>
    Repmgr = 0,

    /// <summary>This machine, and only while it holds the lease.</summary>
    Harepd = 1,

    /// <summary>A person; this machine says what it would do.</summary>
    None = 2,
}

/// <summary>When a standby may be promoted, and which. The same on all members but for <see cref="Priority"/> and <see cref="IsCandidate"/>.</summary>
public sealed record FailoverPolicy
{
    public Promoter Promoter { get; init; }

    /// <summary>False: this member is never promoted by itself.</summary>
    public bool IsCandidate { get; init; } = true;

    /// <summary>Among equally advanced standbys the highest is promoted; never before a more advanced one.</summary>
    public int Priority { get; init; } = 100;

    /// <summary>A standby that lacks more bytes of the lost primary's last known position than this is not promoted.</summary>
    public long MaxLagBytes { get; init; } = 16L << 20;

    /// <summary>
    /// A standby that lacks anything of the lost primary's last known position stays one, and goes on serving readers, until an operator accepts the loss or
    /// the primary is back (the idea of Praefect's read-only mode: nothing diverges while somebody can still bring it back).
    /// </summary>
    public bool WaitsForAcceptance { get; init; }

    /// <summary>A crashed primary gets <see cref="StopGrace"/> to come back where it is before another takes over.</summary>
    public bool RestartsFirst { get; init; }

    /// <summary>A crashed primary is started again by this machine: where nobody takes over, and to be made a standby where somebody did (<see cref="RejoinsItself"/>).</summary>
    public bool StartsCrashed { get; init; }

    /// <summary>How long a primary that was stopped cleanly, starts, or lives without the lease is waited for.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>By when a promotion must be done; afterwards the lease is released and the next candidate may try.</summary>
    public TimeSpan PromoteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between the first automatic failover and the second; each further one within <see cref="FlapWindow"/> doubles it. Zero: no limit.</summary>
    public TimeSpan MinInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most that <see cref="MinInterval"/> grows to.</summary>
    public TimeSpan MaxInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Automatic failovers older than this are forgotten.</summary>
    public TimeSpan FlapWindow { get; init; } = TimeSpan.FromHours(1);

    /// <summary>An old primary that returns beside the holder is made its standby without being told to.</summary>
    public bool RejoinsItself { get; init; }

    /// <summary>Promoted by itself only where no acknowledged commit can be lost: the lost primary waited for this standby (ADR 0018).</summary>
    public bool SynchronousOnly { get; init; }

    /// <summary>What the holder's server waits for is set by this machine.</summary>
    public bool ManagesSynchrony { get; init; }

    /// <summary>Managed: how many standbys must have a commit before it is acknowledged.</summary>
    public int SynchronousCount { get; init; } = 1;

    /// <summary>Managed: a standby that does not stream is waited for no longer than this.</summary>
    public TimeSpan SynchronousDegradeAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Managed: rather no write is acknowledged than one that no standby has.</summary>
    public bool SynchronousStrict { get; init; }

    /// <summary>True when failovers are judged here at all.</summary>
    public bool IsJudged => Promoter != Promoter.Repmgr;
}
