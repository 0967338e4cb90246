using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Postgres.Watch;

/// <summary>What one full reading over SQL told; only what was read, nothing remembered.</summary>
internal sealed record Reading
{
    public required bool InRecovery { get; init; }

    public TimelinePoint Timeline { get; init; }

    public Lsn WriteLsn { get; init; }

    public Lsn ReplayLsn { get; init; }

    public TimeSpan? ReplayDelay { get; init; }

    public bool IsStreaming { get; init; }

    public string UpstreamHost { get; init; } = "";

    public TimeSpan? UpstreamSilence { get; init; }

    public IReadOnlyList<ReplicaLink> Replicas { get; init; } = [];

    public bool HasReceived { get; init; }

    public Synchrony? Synchrony { get; init; }

    public bool IsSynchronyTaken { get; init; }

    /// <summary>The reading as the core takes it.</summary>
    public ServerObservation With(Verdict verdict, ServerFacts facts, Instant at) => new()
    {
        At = at,
        Health = verdict.Health,
        Detail = verdict.Detail,
        InRecovery = InRecovery,
        Timeline = Timeline,
        SystemId = facts.SystemId,
        WriteLsn = WriteLsn,
        ReplayLsn = ReplayLsn,
        ReplayDelay = ReplayDelay,
        IsStreaming = IsStreaming,
        UpstreamHost = UpstreamHost,
        UpstreamSilence = UpstreamSilence,
        Replicas = Replicas,
        HasReceived = HasReceived,
        Synchrony = Synchrony,
        IsSynchronyTaken = IsSynchronyTaken,
        PostmasterStarted = facts.Started,
        ServerVersion = facts.Version,
    };
}

/// <summary>What does not change during a run of the server; read once a session.</summary>
/// <param name="SystemId">From <c>pg_control_system()</c>; unknown where the rights lack.</param>
/// <param name="Started">When the postmaster began, UTC.</param>
/// <param name="Version"><c>server_version_num</c>.</param>
/// <param name="MayReadControl">The user may call <c>pg_control_checkpoint()</c> and its like.</param>
/// <param name="MayReadFiles">The user may call <c>pg_read_file</c>.</param>
/// <param name="HasOwnCommit">The user or the database has a <c>synchronous_commit</c> of its own, so that the server's is not seen.</param>
/// <param name="SegmentBytes"><c>wal_segment_size</c>; zero where it was not told.</param>
internal sealed record ServerFacts(
    SystemId SystemId, DateTime? Started, int Version, bool MayReadControl, bool MayReadFiles, bool HasOwnCommit, uint SegmentBytes);
