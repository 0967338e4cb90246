using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// Whoever promotes, restarts and rejoins servers: repmgrd, systemd and a person, as far as they matter here. It knows nothing of leases,
/// and so it promotes a standby that lost sight of its primary although that primary may live on the other side of a cut.
/// </summary>
internal sealed class Repmgr(World world)
{
    private const long Every = 250 * Span.Millisecond;
    private readonly Dictionary<SimHost, long> _blindSince = [];
    private readonly Dictionary<SimHost, long> _outvotedSince = [];
    private readonly Dice _dice = new(world.Plan.Seed, "repmgr");
    private ulong _lastSwitch = 0x3000000;

    public void Start() => world.Agenda.After(Every, Round);

    private void Round()
    {
        foreach (var host in world.DataHosts.Where(host => host is { IsUp: true, IsSuspended: false }))
        {
            Restart(host);
            if (world.Plan.IsManaged)
            {
                world.Replication.Reclone(host);
                Rejoin(host);
            }
            else if (!world.Plan.IsContested)
            {
                Promote(host);
                Rejoin(host);
            }
        }

        if (!world.Network.IsTroubled)
        {
            // What ended only after the healing is started again as well.
            foreach (var host in world.Hosts)
            {
                world.StartDaemon(host);
            }
        }

        world.Proxies.Remind();
        world.Agenda.After(Every, Round);
    }

    /// <summary>
    /// Asks for a promotion. Most end at once in the daemon's eyes; some are seen to be under way for a while first, a few for longer than the
    /// daemon reckons with, and a server that ends meanwhile has not been promoted.
    /// </summary>
    public void PromoteNow(SimHost host, uint above = 0)
    {
        if (host.Server.IsPromoting)
        {
            return;
        }

        host.Server.IsPromoting = true;
        host.Candidate?.LookSoon();
        var takes = _dice.Pick(new[] { 0, 30, 30, 200, 2000 }) * Span.Millisecond;
        world.Agenda.After(takes, () =>
        {
            if (host.Server is { IsPromoting: true, IsRunning: true })
            {
                PromoteAtOnce(host, above);
            }
        });
    }

    /// <summary>The promotion is done.</summary>
    public void PromoteAtOnce(SimHost host, uint above = 0)
    {
        host.Server.IsPromoting = false;
        // Each promotion branches off somewhere of its own: numbers collide, points do not.
        host.Server.Timeline = new TimelinePoint(Math.Max(host.Server.Timeline.Timeline, above) + 1, new Lsn(_lastSwitch += 0x1000));
        host.Server.IsStandby = false;
        host.Server.Upstream = null;
        host.Server.IsReceiving = false;
        host.Touch();
        world.Note(host.Name, $"server is promoted to timeline {host.Server.Timeline}");
        host.Candidate?.LookSoon();
    }

    private void Restart(SimHost host)
    {
        if (!host.Server.IsRunning && world.Agenda.Now - host.Server.DownSince > world.Plan.RepairAfter)
        {
            world.Note(host.Name, "server is started again");
            host.StartServer();
        }
    }

    private void Promote(SimHost host)
    {
        if (host.Server is not { IsRunning: true, IsStandby: true, IsPromoting: false })
        {
            _blindSince.Remove(host);
            return;
        }

        if (Primaries().Where(primary => Sees(host, primary)).MaxBy(primary => primary.Server.Timeline.Timeline) is { } seen)
        {
            _blindSince.Remove(host);
            Follow(host, seen);
            return;
        }

        var since = _blindSince.TryGetValue(host, out var begun) ? begun : _blindSince[host] = world.Agenda.Now;

        // The standbys that see each other agree on the first of them; on two sides of a cut each side has its own.
        var isFirst = !world.DataHosts.Any(other =>
            other.Index < host.Index && other.Server is { IsRunning: true, IsStandby: true } && Sees(host, other));
        if (isFirst && world.Agenda.Now - since > world.Plan.PromoteAfter)
        {
            _blindSince.Remove(host);
            PromoteNow(host);
        }
    }

    /// <summary>Follows the primary, onto its timeline (a clone or pg_rewind where need be, which copies the primary's block).</summary>
    public void Follow(SimHost host, SimHost primary)
    {
        if (host.Server.Timeline != primary.Server.Timeline)
        {
            world.Note(host.Name, $"server is made a standby of {primary.Name} on timeline {primary.Server.Timeline}");
            host.StopServer(isClean: true);
            host.Server.IsStandby = true;
            host.Server.Timeline = primary.Server.Timeline;
            (host.Server.Wal, host.Server.WalChangedAt) = (primary.Server.Wal, world.Agenda.Now);
            host.CopyBlockOf(primary);
            world.Agenda.After(Span.Second, () => host.StartServerIfUp());
        }

        host.Server.Upstream = primary;
    }

    /// <summary>An old primary beside one that is served by harepd is made its standby after a while.</summary>
    private void Rejoin(SimHost host)
    {
        var served = Primaries().FirstOrDefault(other => other != host && other.IsWriteOpen && Sees(host, other));
        if (!host.Server.TakesWrites || host.IsWriteOpen || served is null)
        {
            _outvotedSince.Remove(host);
            return;
        }

        var since = _outvotedSince.TryGetValue(host, out var begun) ? begun : _outvotedSince[host] = world.Agenda.Now;
        if (world.Agenda.Now - since > world.Plan.RepairAfter)
        {
            _outvotedSince.Remove(host);
            Follow(host, served);
        }
    }

    private IEnumerable<SimHost> Primaries() =>
        world.DataHosts.Where(host => host is { IsUp: true, IsSuspended: false } && host.Server is { TakesWrites: true, IsHung: false });

    private bool Sees(SimHost from, SimHost to) =>
        to is { IsUp: true, IsSuspended: false } && !world.Network.IsCut(from, to) && !world.Network.IsCut(to, from);
}
