using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>The end of a run: every fault is taken back, a person mends the servers, and then the cluster must serve, within its budget, and go on serving.</summary>
internal sealed class Recovery(World world)
{
    public void Run()
    {
        Heal();
        if (world.Plan.Has(Faults.Switchover))
        {
            // What operators ordered of single nodes ends by itself.
            world.RunUntil(world.Agenda.Now + Span.Of(Injector.LongestOrder));
        }


        // Restarted voters are silent for Q; then a lease may have to run out, an election take place and repmgr mend what is left.
        var lease = Span.Of(world.Plan.Lease.AbstainFor);
        var budget = 2 * lease + world.Plan.RepairAfter + world.Plan.PromoteAfter + 8 * Span.Second;
        var end = world.Agenda.Now + budget;
        world.RunUntil(end);
        MendTimelines();
        world.RunUntil(world.Agenda.Now + 2 * lease + 4 * Span.Second);
        var acquisitions = world.Checkers.Acquisitions;
        var served = world.Hosts.FirstOrDefault(host => host.IsWriteOpen)
            ?? throw new ViolationException($"no write gate is open {budget / 1e9:0.0} s after everything was healed: {Describe()}");
        world.RunUntil(world.Agenda.Now + 3 * lease);
        if (!served.IsWriteOpen || world.Checkers.Acquisitions != acquisitions)
        {
            throw new ViolationException($"the write gate of {served.Name} does not stay open in calm: {Describe()}");
        }

        foreach (var host in world.DataHosts.Where(host => host.Candidate?.State.Move is { IsOver: false }))
        {
            throw new ViolationException($"the planned move of {host.Name} does not end: {host.Candidate!.State.Move}");
        }

        for (var proxy = 0; proxy < 2; proxy++)
        {
            if (!world.Proxies.ReadyAt(proxy).SequenceEqual([served]))
            {
                throw new ViolationException($"proxy {proxy} does not lead to {served.Name} in calm");
            }
        }

    }

    private void Heal()
    {
        world.Note("--", "everything is healed");
        world.Network.IsTroubled = false;
        world.Network.HealAll();
        foreach (var host in world.Hosts)
        {
            if (host.IsSuspended)
            {
                host.Resume();
            }

            host.Server.IsHung = host.Server.HasSlotsFull = host.Server.CannotWrite = host.Server.IsLagging = false;
            foreach (var process in host.Processes.Where(process => process.IsPaused).ToList())
            {
                process.Thaw();
            }

            if (!host.IsUp)
            {
                world.PowerOn(host, 0);
            }

            world.StartDaemon(host);
        }
    }

    /// <summary>
    /// Where no server is on a timeline that a majority would admit (the one that was is gone, or two branched off), a person promotes
    /// one of them beyond all that is known, as the docs say.
    /// </summary>
    private void MendTimelines()
    {
        if (world.Hosts.Any(host => host.IsWriteOpen))
        {
            return;
        }

        var admissible = world.DataHosts.Where(host => host.Server.TakesWrites
            && world.Hosts.Count(voter => !voter.TimelineOnDisk.IsNone && voter.TimelineOnDisk.Judge(Samples.OneSystem, host.Server.Timeline) == RefusalReason.None) * 2 > world.Hosts.Count).ToList();
        if (admissible.Count > 0)
        {
            throw new ViolationException($"{admissible[0].Name} takes writes, is admissible and healed, but has no lease: {Describe()}");
        }

        var above = world.Hosts.Max(host => Math.Max(host.Server.Timeline.Timeline, host.TimelineOnDisk.Point.Timeline));
        world.Repmgr.PromoteNow(world.DataHosts.MaxBy(host => host.Server.Timeline.Timeline)!, above);
    }

    private string Describe() => string.Join("; ", world.Hosts.Select(host =>
        $"{host.Name} {(host.Server.TakesWrites ? "primary" : host.Server.IsRunning ? "standby" : "down")} {host.Server.Timeline} block {host.Block}/{host.BlockTerm} noted {host.TimelineOnDisk.Point} {(host.Candidate?.State.Lease is { } lease ? $"refused {lease.LastRefusal} yielding {lease.IsYielding} gate {host.Candidate.State.Gate.Reason}" : "")}"));
}
