using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// Writes, streaming and promotions of the simulated servers, where harepd promotes: how far each server wrote or received, who streams from
/// whom, and what a promotion makes of it. A server goes on with what it was told whatever becomes of its daemon.
/// </summary>
internal sealed class Replication(World world)
{
    private const long Every = 20 * Span.Millisecond;

    /// <summary>Without a word for so long a WAL receiver ends by itself (wal_receiver_timeout).</summary>
    private const long ReceiverTimeout = 10 * Span.Second;
    private readonly Dice _dice = new(world.Plan.Seed, "replication");
    private readonly Dictionary<SimHost, long> _strandedSince = [];

    public void Start()
    {
        if (!world.Plan.IsManaged)
        {
            return;
        }

        foreach (var host in world.DataHosts.Where(host => host.Server.IsStandby))
        {
            host.Server.Upstream = world.DataHosts[0];
        }

        world.Agenda.After(Every, Round);
    }

    private void Round()
    {
        foreach (var host in world.DataHosts.Where(host => host.IsWriteOpen && !host.Server.IsHung && !host.Server.CannotWrite))
        {
            Move(host, host.Server.Wal + 100 * (1 + _dice.Below(8)));
        }

        foreach (var host in world.DataHosts.Where(host => host is { IsUp: true, IsSuspended: false, Server: { IsRunning: true, IsStandby: true, IsHung: false } }))
        {
            Receive(host, host.Server);
        }

        foreach (var host in world.DataHosts.Where(host => host.IsWriteOpen && !host.Server.IsHung))
        {
            world.Waiting.Acknowledge(host);
        }

        world.Agenda.After(Every, Round);
    }

    private void Receive(SimHost host, SimServer server)
    {
        var upstream = server.Upstream;
        if (world.Waiting.IsReplaying(server))
        {
            return;
        }

        var isReached = upstream is { IsUp: true, IsSuspended: false } && !world.Network.IsCut(host, upstream) && !world.Network.IsCut(upstream, host);
        if (isReached && upstream!.Server is { IsRunning: true } source && source.Timeline == server.Timeline && server.Wal <= source.Wal)
        {
            server.IsReceiving = true;
            if (!source.IsHung)
            {
                server.LastMessageAt = world.Agenda.Now;
                if (!server.IsLagging && source.Wal > server.Wal)
                {
                    Move(host, source.Wal);
                }
            }
        }
        else if (isReached || world.Agenda.Now - server.LastMessageAt > ReceiverTimeout)
        {
            // The other side ended the connection, or nothing came for too long; a host that is gone says nothing.
            server.IsReceiving = false;
        }
    }

    /// <summary>A server that stops cleanly sends its last record to whoever streams from it and is reached; half of those that lag get it.</summary>
    public void Flush(SimHost from)
    {
        foreach (var host in world.DataHosts.Where(host => host.Server is { IsRunning: true, IsStandby: true, IsHung: false } && host.Server.Upstream == from))
        {
            if (!host.Server.IsLagging || _dice.Chance(0.5))
            {
                Receive(host, host.Server);
            }
        }
    }

    /// <summary>The server was told to promote itself.</summary>
    public void Promote(SimHost host)
    {
        if (host.Server.IsPromoting)
        {
            return;
        }

        host.Server.IsPromoting = true;
        host.Server.AskedAt = world.Agenda.Now;
        host.Server.PromotedRun = host.Server.UpSince;
        var run = host.Server.UpSince;
        if (world.Network.PromotionDelay() is { } delay)
        {
            world.Agenda.After(delay, () => Finish(host, run));
        }
    }

    private void Finish(SimHost host, long run)
    {
        var server = host.Server;
        if (!server.IsPromoting || server.UpSince != run || !server.IsRunning || !server.IsStandby)
        {
            return;
        }

        if (host.IsSuspended)
        {
            world.Agenda.After(Every, () => Finish(host, run));
            return;
        }

        server.IsPromoting = false;
        world.Checkers.Promoted(host);
        (server.Parent, server.SwitchWal) = (server.Timeline, server.Wal);
        world.Repmgr.PromoteAtOnce(host);

        // Whoever reads on a standby writes on a primary.
        host.LetReadersWrite();
    }

    /// <summary>The server streams from another one from now on, as far as the histories allow.</summary>
    public void Follow(SimHost host, string name)
    {
        var target = world.DataHosts.First(other => other.Name == name);
        if (target == host || !host.Server.IsRunning || !host.Server.IsStandby)
        {
            return;
        }

        host.Server.Upstream = target;
        if (target.Server.Parent == host.Server.Timeline && host.Server.Wal <= target.Server.SwitchWal)
        {
            host.Server.Timeline = target.Server.Timeline;
        }
    }

    /// <summary>A standby that cannot follow the served primary, because it has what that one never had, is cloned anew after a while.</summary>
    public void Reclone(SimHost host)
    {
        var served = world.DataHosts.FirstOrDefault(other => other != host && other.IsWriteOpen && !world.Network.IsCut(host, other) && !world.Network.IsCut(other, host));
        if (!host.Server.IsRunning || !host.Server.IsStandby || host.Server.IsPromoting || served is null || host.Server.Timeline == served.Server.Timeline)
        {
            _strandedSince.Remove(host);
            return;
        }

        var since = _strandedSince.TryGetValue(host, out var begun) ? begun : _strandedSince[host] = world.Agenda.Now;
        if (world.Agenda.Now - since > world.Plan.RepairAfter)
        {
            _strandedSince.Remove(host);
            world.Repmgr.Follow(host, served);
        }
    }

    private void Move(SimHost host, long wal)
    {
        host.Server.Wal = wal;
        host.Server.WalChangedAt = world.Agenda.Now;
    }
}
