using System.Collections.Immutable;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Http;

namespace Harepd.Tests.Http;

/// <summary>The situations a node can be in, as statuses made at one instant.</summary>
internal static class Statuses
{
    public static readonly Instant Now = new(1_000_000_000_000);

    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    public static NodeStatus Primary(Instant? at = null) => new()
    {
        At = at ?? Now,
        Cluster = "shop",
        Name = "node_1",
        HeldTerm = new Term(7),
        LeaseDeadline = (at ?? Now) + TimeSpan.FromSeconds(3),
        HolderName = "node_1",
        Gate = Gate.ReadWrite,
        Reason = "holds the lease",
        HolderLsn = new Lsn(0x3000148),
        Server = Server(at ?? Now, inRecovery: false) with
        {
            Replicas = [new ReplicaLink("node_2", "10.0.0.2", "streaming", "async", new Lsn(0x3000148), new Lsn(0x3000148))],
        },
        Members =
        [
            new MemberStatus
            {
                Name = "node_2", Health = ServerHealth.Running, InRecovery = true, IsStreaming = true, Host = "10.0.0.2", Port = 5432,
                ApiUrl = "http://10.0.0.2:8008/patroni", Timeline = 2, ReceiveLsn = new Lsn(0x3000100), ReplayLsn = new Lsn(0x3000048), Gate = Gate.ReadOnly,
            },
            new MemberStatus
            {
                Name = "node_1", IsHolder = true, Health = ServerHealth.Running, InRecovery = false, Host = "10.0.0.1", Port = 5432,
                ApiUrl = "http://10.0.0.1:8008/patroni", Timeline = 2, ReceiveLsn = new Lsn(0x3000148), ReplayLsn = new Lsn(0x3000148), Gate = Gate.ReadWrite,
            },
            new MemberStatus { Name = "tiny", IsWitness = true },
        ],
    };

    public static NodeStatus Standby(Instant? at = null) => Primary(at) with
    {
        Name = "node_2",
        HeldTerm = Term.None,
        LeaseDeadline = Instant.Zero,
        Gate = Gate.ReadOnly,
        Reason = "serves reads",
        IsReadable = true,
        Server = Server(at ?? Now, inRecovery: true) with { WriteLsn = new Lsn(0x3000100), ReplayLsn = new Lsn(0x3000048), IsStreaming = true },
    };

    public static NodeStatus Of(string situation) => situation switch
    {
        "primary" => Primary(),
        "primary, gate not open yet" => Primary() with { Gate = Gate.Fenced },
        "primary, lease over" => Primary() with { LeaseDeadline = Now },
        "primary, loop stuck" => Primary() with { At = Now - Limit - TimeSpan.FromMilliseconds(1), LeaseDeadline = Instant.Forever },
        "primary, all slots taken" => Primary() with { Server = Primary().Server! with { Health = ServerHealth.SlotsFull } },
        "standby" => Standby(),
        "standby, sync" => Standby() with { IsSynchronous = true },
        "standby, quorum" => Standby() with { IsQuorum = true },
        "standby, lagging" => Standby() with { IsReadable = false },
        "standby, noloadbalance" => Standby() with { Tags = Standby().Tags.Add("noloadbalance", "true") },
        "standby, in maintenance" => Standby() with { IsMaintained = true },
        "standby, fenced" => Standby() with { Gate = Gate.Fenced },
        "standby, starting" => Standby() with { Server = Standby().Server! with { Health = ServerHealth.Starting } },
        "rogue" => Primary() with { HeldTerm = Term.None, LeaseDeadline = Instant.Zero, Gate = Gate.Fenced, IsRogue = true },
        "down" => Standby() with { Server = Standby().Server! with { Health = ServerHealth.Down, InRecovery = null } },
        "witness" => Standby() with { Server = null, Gate = Gate.Fenced, IsReadable = false },
        _ => throw new ArgumentOutOfRangeException(nameof(situation), situation, "unknown"),
    };

    public static Instant At() => BootClock.Now;

    private static ServerObservation Server(Instant at, bool inRecovery) => new()
    {
        At = at,
        Health = ServerHealth.Running,
        InRecovery = inRecovery,
        Timeline = new TimelinePoint(2, new Lsn(0x2000000)),
        SystemId = new SystemId(7318294758293847561),
        WriteLsn = new Lsn(0x3000148),
        ReplayLsn = new Lsn(0x3000148),
        PostmasterStarted = new DateTime(2026, 11, 20, 12, 0, 1, 123, DateTimeKind.Utc),
        ServerVersion = 150020,
    };
}
