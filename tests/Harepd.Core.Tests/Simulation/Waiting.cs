using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// Synchronous replication: what each primary waits for, and how far it has acknowledged. A setting that was loaded is seen at once, and not before the server's
/// processes took it in does it hold: until then the weaker of old and new counts. A standby that was started says less than it has until it replayed its own WAL.
/// </summary>
internal sealed class Waiting(World world)
{
    private readonly Dice _dice = new(world.Plan.Seed, "waiting");
    private readonly Dictionary<TimelinePoint, long> _acknowledged = [];

    /// <summary>Everything up to here was acknowledged to clients on this timeline.</summary>
    public long Acknowledged(TimelinePoint timeline) => _acknowledged.GetValueOrDefault(timeline);

    /// <summary>Times that a setting was changed.</summary>
    public long Changes { get; private set; }

    /// <summary>A started standby replays what it has before it asks for more.</summary>
    public bool IsReplaying(SimServer server) => world.Plan.IsSynchronous && world.Agenda.Now < server.UpSince + server.UpSince / Span.Microsecond % 1500 * Span.Millisecond && server.UpSince > 0;

    /// <summary>After each round of writes and streams: what a server whose clients are let in acknowledges.</summary>
    public void Acknowledge(SimHost host)
    {
        if (!world.Plan.IsSynchronous)
        {
            return;
        }

        var server = host.Server;
        var position = PositionOf(host, server.WaitsFor);
        if (world.Agenda.Now < server.WaitsTakenAt)
        {
            position = Math.Max(position, PositionOf(host, server.WaitedFor));
        }

        _acknowledged[server.Timeline] = Math.Max(Acknowledged(server.Timeline), position);
    }

    /// <summary>The setting is written and loaded, or not; now and then the answer is wrong.</summary>
    public void Synchronize(SimHost host, SimProcess process, Effect.Synchronize order)
    {
        var isLate = host.Now >= order.Until || host.Now >= process.Watchdog.FenceAt;
        var isRefused = isLate || host.Server is { IsRunning: false } or { IsStandby: true } or { IsHung: true } || (world.Network.IsTroubled && _dice.Chance(0.05));
        if (!isRefused)
        {
            var server = host.Server;
            server.WaitedFor = world.Agenda.Now < server.WaitsTakenAt ? Synchrony.Weaker(server.WaitedFor, server.WaitsFor) : server.WaitsFor;
            server.WaitsFor = order.Wanted;
            server.WaitsTakenAt = world.Agenda.Now + (_dice.Chance(0.2) ? _dice.Between(0, 4 * Span.Second) : _dice.Between(0, 50 * Span.Millisecond));
            Changes++;
            world.Note(host.Name, $"server waits for {order.Wanted}");
        }

        process.Post(new Input.OrderDone(order.Sequence, !isRefused && !(world.Network.IsTroubled && _dice.Chance(0.05)), default, "simulated"));
    }

    /// <summary>What a look at the server shows besides.</summary>
    public ServerObservation Complete(SimHost host, ServerObservation seen)
    {
        if (!world.Plan.IsSynchronous || seen.Health != ServerHealth.Running)
        {
            return seen;
        }

        var server = host.Server;
        if (seen.InRecovery == true)
        {
            var less = IsReplaying(server) ? Math.Min((ulong)server.Wal, 2_000) : 0;
            return seen with { HasReceived = !IsReplaying(server), WriteLsn = new Lsn(seen.WriteLsn.Value - less), ReplayLsn = new Lsn(seen.ReplayLsn.Value - less) };
        }

        return seen with
        {
            PostmasterStarted = DateTime.UnixEpoch + TimeSpan.FromTicks(server.UpSince / 100),
            Synchrony = server.WaitsFor,
            IsSynchronyTaken = world.Agenda.Now >= server.WaitsTakenAt,
            Replicas = [.. StreamsOf(host).Select(other => new ReplicaLink(other.Name, other.Name, "streaming", "quorum", new Lsn(0x1000UL + (ulong)other.Server.Wal), default))],
        };
    }

    private long PositionOf(SimHost host, Synchrony waits)
    {
        if (waits.IsNone)
        {
            return host.Server.Wal;
        }

        var have = StreamsOf(host).Where(other => waits.Has(other.Name)).Select(other => other.Server.Wal).OrderDescending().ToList();
        return have.Count >= waits.Count ? have[waits.Count - 1] : 0;
    }

    private IEnumerable<SimHost> StreamsOf(SimHost host) => world.DataHosts.Where(other =>
        other != host && other.Server is { IsRunning: true, IsStandby: true, IsReceiving: true } && other.Server.Upstream == host && other.Server.Timeline == host.Server.Timeline);
}
