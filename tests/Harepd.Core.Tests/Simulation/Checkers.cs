using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>What must be true after every event, whatever goes wrong.</summary>
internal sealed class Checkers(World world)
{
    private Term _highestTerm;
    private TimelinePoint _highestOpened;
    private long _closedSince = -1;

    /// <summary>Time without an open write gate, while a server could have served.</summary>
    public long Unavailable { get; private set; }

    public long Acquisitions { get; private set; }

    public long Openings { get; private set; }

    /// <summary>After every event.</summary>
    public void Look()
    {
        SimHost? open = null;
        SimHost? holder = null;
        foreach (var host in world.Hosts)
        {
            if (host.IsWriteOpen)
            {
                Demand(open is null, host, $"two write gates are open: {open?.Name} and {host.Name}");
                Demand(host.HoldsLease, host, "a write gate is open without a live lease");
                open = host;
            }

            if (host.HoldsLease)
            {
                Demand(holder is null, host, $"two leases are live: {holder?.Name} and {host.Name}");
                holder = host;
            }
        }

        CountAvailability(open is not null);
    }

    /// <summary>After every step of a machine: what it believes and the order of what it wants.</summary>
    public void Stepped(SimHost host, SimProcess process, NodeState before, NodeStep step)
    {
        var order = 0;
        foreach (var effect in step.Effects)
        {
            var place = PlaceOf(effect);
            Demand(place >= order, host, $"the order of the output is broken by {effect.GetType().Name}");
            order = place;
            if (effect is Effect.Ask { Request: LeaseRequest.Release release })
            {
                Released(host, release);
            }
        }

        var held = step.State.Lease?.Held;
        if (held is null)
        {
            return;
        }

        Demand(host.HasData, host, "a witness holds the lease");
        if (before.Lease?.Held?.Term != held.Term)
        {
            Acquisitions++;

            // Rounds begin at the unix time: where that is set back after memory was lost, terms may fall, and only the block's own term guards (R11).
            Demand(held.Term > _highestTerm || world.Plan.Has(Faults.WallSteps), host, $"the term fell from {_highestTerm} to {held.Term}");
            _highestTerm = held.Term;
            host.LeaseTerm = held.Term;
            world.Note(host.Name, $"HOLDS term {held.Term} until {held.Deadline}");
        }

        host.LeaseUntil = Instant.Max(host.LeaseUntil, held.Deadline);
    }

    /// <summary>At the moment at which a write gate is opened.</summary>
    public void Opening(SimHost host, Term term)
    {
        Openings++;
        Demand(term >= host.BlockTerm, host, $"a gate is opened under term {term} after {host.BlockTerm} was applied");
        var timeline = host.Server.Timeline;
        if (!host.Server.TakesWrites)
        {
            return;
        }

        var isBehind = timeline.Timeline < _highestOpened.Timeline || (timeline.Timeline == _highestOpened.Timeline && timeline != _highestOpened);
        Demand(!isBehind || _highestOpened.IsUnknown, host, $"timeline {timeline} is opened after {_highestOpened}");
        _highestOpened = timeline;
        var known = world.Hosts.Count(other => other.TimelineOnDisk.Point.Timeline > timeline.Timeline);
        Demand(known * 2 <= world.Hosts.Count, host, $"timeline {timeline} is opened although a majority knows a higher one");
        var noted = world.Hosts.Count(other => other.TimelineOnDisk.Point == timeline);
        Demand(noted * 2 > world.Hosts.Count, host, $"timeline {timeline} is opened before a majority noted it");
    }

    /// <summary>When a proxy was told to send writes to this host.</summary>
    public void Steered(SimHost host) =>
        Demand(host.HoldsLease, host, "a proxy is pointed at a server without the lease");

    private void Released(SimHost host, LeaseRequest.Release release)
    {
        Demand(!host.IsWriteOpen, host, $"{release.Ballot} is released while the write gate is open");
        host.LeaseUntil = Instant.Zero;
    }

    private void CountAvailability(bool isOpen)
    {
        if (isOpen && _closedSince >= 0)
        {
            Unavailable += world.Agenda.Now - _closedSince;
            _closedSince = -1;
        }
        else if (!isOpen && _closedSince < 0)
        {
            _closedSince = world.Agenda.Now;
        }
    }

    private void Demand(bool isTrue, SimHost host, string what)
    {
        if (!isTrue)
        {
            throw new ViolationException($"{host.Name}: {what}");
        }
    }

    private static int PlaceOf(Effect effect) => effect switch
    {
        Effect.ArmWatchdog or Effect.CloseGate or Effect.EngageHold => 0,
        Effect.Steer { Route: { Write: false, Read: false } } => 0,
        Effect.SaveMemory or Effect.SaveTimeline => 1,
        Effect.Ask or Effect.Answer or Effect.Tell or Effect.SetPace => 2,
        Effect.OpenGate or Effect.VerifyGate or Effect.Steer or Effect.ReleaseHold => 3,
        _ => 4,
    };
}

/// <summary>Something that must always be true was not.</summary>
internal sealed class ViolationException(string message) : Exception(message);
