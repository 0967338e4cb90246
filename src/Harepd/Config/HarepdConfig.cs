using System.Collections.Immutable;
using System.Net;
using Harepd.Core.Model;

namespace Harepd.Config;

/// <summary>
/// One node's whole configuration, validated where it is read (<see cref="ConfigReader"/>): every value is within its limits and no two
/// contradict each other. conf/harepd.yml tells each key's meaning, unit and default. Immutable.
/// </summary>
internal sealed record HarepdConfig
{
    /// <summary>The file it was read from, as an absolute path.</summary>
    public required string File { get; init; }

    /// <summary>Name of the cluster; nodes of different clusters refuse each other.</summary>
    public required string Cluster { get; init; }

    /// <summary>Exactly as in <c>repmgr.nodes</c>; on a witness that has none, its member id.</summary>
    public required string NodeName { get; init; }

    /// <summary>This node's replication address; null only where the node has no PostgreSQL.</summary>
    public required IPAddress? PrimaryIp { get; init; }

    /// <summary>May standbys serve read-only traffic.</summary>
    public required bool AllowRo { get; init; }

    /// <summary>Absolute path of pg_hba.conf; null only in server-only mode.</summary>
    public required string? HbaConfig { get; init; }

    /// <summary>Period of the full inquiry and verification pass.</summary>
    public required TimeSpan WatchDog { get; init; }

    public required LogsConfig Logs { get; init; }

    public required AuthModesConfig AuthModes { get; init; }

    /// <summary>Null when the cluster runs without repmgr.</summary>
    public required RepmgrConfig? Repmgr { get; init; }

    public required GrpcConfig Grpc { get; init; }

    public required MembershipConfig Membership { get; init; }

    public required HaproxyConfig Haproxy { get; init; }

    public required PgbouncerConfig Pgbouncer { get; init; }

    /// <summary>Null only in server-only mode when neither <c>postgres</c> nor <c>repmgr</c> is configured.</summary>
    public required PostgresConfig? Postgres { get; init; }

    public required LeaseConfig Lease { get; init; }

    public required FenceConfig Fence { get; init; }

    public required HttpConfig Http { get; init; }

    public required ReadsConfig Reads { get; init; }

    public required FailoverConfig Failover { get; init; }

    public HistoryConfig History { get; init; } = new();

    public HooksConfig Hooks { get; init; } = new();

    /// <summary>Absolute path of what must survive a reboot: the highest timeline this voter answered for.</summary>
    public required string StateDir { get; init; }

    /// <summary>Absolute path on tmpfs of what must not survive a reboot: the voter's resume file, locks, the guard's page (R7).</summary>
    public required string RunDir { get; init; }

    /// <summary>This node's name in the voting set.</summary>
    public MemberId Self => Grpc.Advertise.Member;

    /// <summary>The voting set: self, neighbours and witness, in ordinal order, each once (R10).</summary>
    public ImmutableArray<MemberId> Members =>
    [
        .. Grpc.Peers.Select(peer => peer.Member).Append(Self).Order(),
    ];

    /// <summary>The voting set of the epoch before, in ordinal order; empty in the first epoch (R10).</summary>
    public ImmutableArray<MemberId> PreviousMembers => [.. Membership.Previous.Select(peer => peer.Member).Order()];
}

/// <summary>Where the log goes and how long it is kept.</summary>
/// <param name="FilePath">Absolute path; null logs to the console alone.</param>
/// <param name="MaxAge">A rotated file older than this, by its last write, is removed.</param>
/// <param name="RotationTime">The file is rotated when its first line is this old.</param>
internal sealed record LogsConfig(string? FilePath, TimeSpan MaxAge, TimeSpan RotationTime);

/// <summary>Authentication methods of the rules for HAProxy's check users.</summary>
/// <param name="Allow">A method whose request HAProxy's check takes for "up".</param>
/// <param name="Deny">Always <c>reject</c>: the only one that the check takes for "down".</param>
internal sealed record AuthModesConfig(string Allow, string Deny);

/// <summary>Where repmgr keeps its tables.</summary>
internal sealed record RepmgrConfig(string User, string Db);
