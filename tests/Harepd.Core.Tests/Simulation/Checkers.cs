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

    public long Promotions { get; private set; }

    /// <summary>Promotions that were held against what was acknowledged.</summary>
    public long KeptPromotions { get; private set; }

    /// <summary>Planned moves that made the other server the primary.</summary>
    public long Moves { get; private set; }

    /// <summary>Planned moves that were begun and taken back, or failed.</summary>
    public long MovesBack { get; private set; }

    /// <summary>How often each kind of decision was recorded.</summary>
    public Dictionary<DecisionKind, long> Decisions { get; } = [];

    /// <summary>A planned move is over.</summary>
    public void MoveEnded(MoveOutcome outcome)
    {
        Moves += outcome == MoveOutcome.Moved ? 1 : 0;
        MovesBack += outcome is MoveOutcome.TakenBack or MoveOutcome.Failed ? 1 : 0;
    }

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

        Withheld(host, before, step);
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

    /// <summary>A fenced node opens nothing and asks nobody for the lease; one in maintenance promotes nothing.</summary>
    private void Withheld(SimHost host, NodeState before, NodeStep step)
    {
        var (was, now) = (before.Orders, step.State.Orders);
        foreach (var record in step.Effects.OfType<Effect.Record>())
        {
            Decisions[record.Decision.Kind] = Decisions.GetValueOrDefault(record.Decision.Kind) + 1;
        }

        if (now.IsShut || now.IsMaintained)
        {
            host.WithheldAt = world.Agenda.Now;
            Demand(!step.Effects.Any(effect => effect is Effect.Promote), host, "a promotion is begun although an operator's order forbids it");
        }

        if (was.IsShut && now.IsShut)
        {
            Demand(!step.Effects.Any(effect => effect is Effect.OpenGate), host, "a gate is opened although an operator fenced the node, or stopped its server");
            Demand(!step.Effects.Any(effect => effect is Effect.Ask { Request: LeaseRequest.Prepare or LeaseRequest.Accept }), host, "the lease is asked for although an operator fenced the node");
        }
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
        var noted = world.Hosts.Count(other => other.TimelineOnDisk.Point == timeline || other.TimelineLost == timeline);
        Demand(noted * 2 > world.Hosts.Count, host, $"timeline {timeline} is opened before a majority noted it");
    }

    /// <summary>At the moment at which a server is told to promote itself.</summary>
    public void Promoting(SimHost host, SimProcess process, Term term)
    {
        Promotions++;
        host.Server.MayLose = process.State.Promotion.Ordered is { Order.AcceptsLoss: true };
        Demand(host.HoldsLease && host.LeaseTerm == term, host, $"a promotion under term {term} is begun without the lease");
        Demand(host.Block == Gate.Fenced, host, "a promotion is begun before the own gate is shut");
        var mover = process.State.Promotion is { Current.IsPlanned: true, Handover: { } handover } ? world.HostOf(handover.From) : null;
        if (mover is not null && mover.Server.Timeline == host.Server.Timeline)
        {
            Demand(host.Server.Wal >= mover.Server.Wal, host, $"a promotion in a planned move loses {mover.Server.Wal - host.Server.Wal} bytes of {mover.Name}");
        }

        // What an operator orders waits for nobody's better chance; what protects stands.
        var isOrdered = process.State.Promotion.Current?.IsOrdered == true;
        foreach (var other in world.DataHosts.Where(other => other != host && other != mover && !isOrdered && IsHeard(other, host)))
        {
            Demand(!IsWellPrimary(other, host), host, $"a promotion is begun although {other.Name} is well");
            Demand(!IsBetterStandby(other, host), host, $"a promotion is begun although {other.Name} received more");
        }

        var isAccepted = process.State.Promotion.Ordered is { Order.AcceptsLoss: true };
        if (!isAccepted && process.State.Promotion.Last is { } last && last.Timeline == host.Server.Timeline)
        {
            var lost = (long)last.WriteLsn.Value - 0x1000 - host.Server.Wal;
            Demand(lost <= world.Plan.Failover.MaxLagBytes, host, $"a promotion loses {lost} bytes that were known of");
        }
    }

    /// <summary>At the moment at which a server that harepd promoted leaves recovery: with synchronousOnly everything acknowledged is here.</summary>
    public void Promoted(SimHost host)
    {
        if (world.Plan.IsSynchronous && !host.Server.MayLose)
        {
            var lost = world.Waiting.Acknowledged(host.Server.Timeline) - host.Server.Wal;
            Demand(lost <= 0, host, $"a promotion loses {lost} bytes that were acknowledged");
            KeptPromotions++;
        }
    }

    /// <summary>For so long that its word must be known there, nothing stood between the two and both daemons ran.</summary>
    private bool IsHeard(SimHost from, SimHost by)
    {
        const Faults blurs = Faults.Loss | Faults.SlowNetwork | Faults.SlowLoop | Faults.SlowLooking | Faults.OtherMembership | Faults.Suspend | Faults.NoEndOfFile;
        var since = world.Agenda.Now - 3 * Span.Second;
        return !world.Plan.Has(blurs) && from is { IsUp: true, IsSuspended: false } && world.Network.WholeSince(from, by) <= since
            && IsRunning(from.Candidate, since) && IsRunning(by.Candidate, since);
    }

    private static bool IsRunning(SimProcess? process, long since) =>
        process is { IsAlive: true, IsPaused: false } && process.BegunAt <= since && process.ThawedAt <= since;

    /// <summary>A primary that could go on serving and gave the lease up a moment ago must be waited for.</summary>
    private bool IsWellPrimary(SimHost other, SimHost host)
    {
        var grace = Span.Of(world.Plan.Failover.StopGrace) * 9 / 10;

        // One that was started a moment ago has not been looked at yet.
        var settled = world.Agenda.Now - 3 * Span.Second / 2;
        return (other.Server.UpSince < settled || other.ReleasedAt > other.Server.UpSince)
            && other.Server is { TakesWrites: true, IsHung: false, CannotWrite: false } && other.Server.Timeline.Timeline >= host.Server.Timeline.Timeline
            && !other.Candidate!.State.IsStopping && world.Agenda.Now - Math.Max(other.ReleasedAt, other.Server.UpSince) < grace;
    }

    private bool IsBetterStandby(SimHost other, SimHost host)
    {
        var settled = world.Agenda.Now - 3 * Span.Second / 2;
        return other.Server is { IsRunning: true, IsStandby: true, IsHung: false, HasSlotsFull: false, IsPromoting: false }
            && other.Server.Timeline == host.Server.Timeline && other.Server.Wal > host.Server.Wal && other.Server.WalChangedAt < settled
            && other.Server.UpSince < settled && other.WithheldAt < settled && other.Candidate!.State is { IsStopping: false } state
            && state.Promotion.FailedUntil == Instant.Zero;
    }

    /// <summary>When a proxy was told to send writes to this host.</summary>
    public void Steered(SimHost host) =>
        Demand(host.HoldsLease, host, "a proxy is pointed at a server without the lease");

    private void Released(SimHost host, LeaseRequest.Release release)
    {
        Demand(!host.IsWriteOpen, host, $"{release.Ballot} is released while the write gate is open");
        if (host.LeaseUntil != Instant.Zero)
        {
            host.ReleasedAt = world.Agenda.Now;
        }

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
        Effect.ArmWatchdog or Effect.CloseGate or Effect.EngageHold or Effect.StopServer or Effect.RejoinServer => 0,
        Effect.Steer { Route: { Write: false, Read: false } } => 0,
        Effect.SaveMemory or Effect.SaveTimeline => 1,
        Effect.Ask or Effect.Answer or Effect.Tell or Effect.SetPace or Effect.Look or Effect.GetReady => 2,
        Effect.OpenGate or Effect.VerifyGate or Effect.Steer or Effect.Promote or Effect.Follow or Effect.ReleaseHold or Effect.ConsultHook or Effect.PrepareMove or Effect.StartServer or Effect.Synchronize => 3,
        _ => 4,
    };
}

/// <summary>Something that must always be true was not.</summary>
internal sealed class ViolationException(string message) : Exception(message);
