using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>Carries votes and reports between hosts: late, twice, in another order, or not at all. Also throws the dice for disks and gates.</summary>
internal sealed class SimNetwork(World world)
{
    private const int AddressBook = 4_096;
    private readonly Dice _dice = new(world.Plan.Seed, "network");
    private readonly Dice _gates = new(world.Plan.Seed, "gates");
    private readonly Dice _looks = new(world.Plan.Seed, "looks");
    private readonly Dice _promotions = new(world.Plan.Seed, "promotions");
    private readonly Dictionary<(int, int), long> _healedAt = [];
    private readonly HashSet<(int, int)> _cuts = [];
    private readonly (SimHost Host, SimProcess Process)[] _askers = new (SimHost, SimProcess)[AddressBook];
    private long _lastRequest;

    public bool IsTroubled { get; set; } = true;

    public bool IsCut(SimHost from, SimHost to) => _cuts.Contains((from.Index, to.Index));

    public void Cut(SimHost from, SimHost to)
    {
        _cuts.Add((from.Index, to.Index));
        _healedAt[(from.Index, to.Index)] = long.MaxValue;
    }

    public void Heal(SimHost from, SimHost to)
    {
        _cuts.Remove((from.Index, to.Index));
        _healedAt[(from.Index, to.Index)] = world.Agenda.Now;
    }

    public void HealAll()
    {
        foreach (var cut in _cuts)
        {
            _healedAt[cut] = world.Agenda.Now;
        }

        _cuts.Clear();
    }

    public void Ask(SimHost from, SimProcess asker, Effect.Ask ask)
    {
        var to = world.HostOf(ask.To);
        Carry(from, to, () =>
        {
            if (to.VotingProcess is { IsAlive: true } voter)
            {
                // Numbers come round again long after an answer could be of use.
                var id = ++_lastRequest;
                _askers[id % AddressBook] = (from, asker);
                voter.Post(new Input.VoteAsked(id, ask.Request));
            }
        });
    }

    public void Answer(SimHost from, Effect.Answer answer)
    {
        var (to, asker) = _askers[answer.RequestId % AddressBook];
        Carry(from, to, () =>
        {
            // Now and then an answer finds the next run of the process that asked.
            var reader = asker.IsAlive ? asker : to.Candidate;
            reader?.Post(new Input.VoteAnswered(answer.Reply));
        });
    }

    public void Tell(SimHost from, SimProcess teller)
    {
        var view = teller.State.View;
        var told = view.ToTell(from.Now);
        foreach (var to in world.Hosts)
        {
            foreach (var process in to.Processes)
            {
                if (process != teller)
                {
                    Carry(from, to, () =>
                    {
                        process.Post(new Input.Heard(told));
                        AnswerTold(to, process, from, teller);
                    });
                }
            }
        }
    }

    /// <summary>A voter's process tells what it knows only when it is told something; elsewhere the answers add nothing and are left out.</summary>
    private void AnswerTold(SimHost from, SimProcess process, SimHost to, SimProcess teller)
    {
        if (process is { IsAlive: true, Settings: { HasCandidate: false, IsWitness: false } })
        {
            var known = process.State.View.ToTell(from.Now);
            Carry(from, to, () => teller.Post(new Input.Heard(known)));
        }
    }

    /// <summary>One datagram's fate. Within a host nothing is lost, but it takes its time.</summary>
    private void Carry(SimHost from, SimHost to, Action deliver)
    {
        if (from == to)
        {
            world.Agenda.After(20 * Span.Microsecond, Arrive);
            return;
        }

        if (IsCut(from, to) || (IsTroubled && world.Plan.Has(Faults.Loss) && _dice.Chance(world.Plan.LossRate)))
        {
            return;
        }

        world.Agenda.After(Delay(), Arrive);
        if (IsTroubled && world.Plan.Has(Faults.Duplication) && _dice.Chance(0.1))
        {
            world.Agenda.After(Delay() * 5, Arrive);
        }

        void Arrive()
        {
            if (to.IsUp)
            {
                deliver();
            }
        }
    }

    private long Delay() => IsTroubled && world.Plan.Has(Faults.SlowNetwork)
        ? 100 * Span.Microsecond + _dice.Exponential(_dice.Chance(0.02) ? 20 * world.Plan.Delay : world.Plan.Delay)
        : 200 * Span.Microsecond + (long)(_dice.Fraction() * Span.Millisecond);

    public long DiskDelay() => IsTroubled && world.Plan.Has(Faults.SlowDisk) && _gates.Chance(0.3)
        ? _gates.Between(100 * Span.Millisecond, 5 * Span.Second)
        : _gates.Between(Span.Millisecond, 15 * Span.Millisecond);

    public bool DiskFails() => IsTroubled && world.Plan.Has(Faults.SlowDisk) && _gates.Chance(0.1);

    public long GateDelay() => IsTroubled && world.Plan.Has(Faults.GateSlow) && _gates.Chance(0.1)
        ? _gates.Between(50 * Span.Millisecond, 2 * Span.Second)
        : _gates.Between(500 * Span.Microsecond, 8 * Span.Millisecond);

    public bool GateFails() => IsTroubled && world.Plan.Has(Faults.GateFails) && _gates.Chance(0.1);

    public bool PromotionFails() => IsTroubled && world.Plan.Has(Faults.PromotionFails) && _promotions.Chance(0.3);

    /// <summary>From the request to the end of recovery; null: never.</summary>
    public long? PromotionDelay()
    {
        if (!IsTroubled || !world.Plan.Has(Faults.SlowPromotion) || _promotions.Chance(0.6))
        {
            return _promotions.Between(5 * Span.Millisecond, 60 * Span.Millisecond);
        }

        return _promotions.Chance(0.2) ? null : _promotions.Between(200 * Span.Millisecond, 6 * Span.Second);
    }

    /// <summary>How long both ways between two hosts have been whole.</summary>
    public long WholeSince(SimHost one, SimHost other) =>
        Math.Max(_healedAt.GetValueOrDefault((one.Index, other.Index)), _healedAt.GetValueOrDefault((other.Index, one.Index)));

    public long LookDelay() => IsTroubled && world.Plan.Has(Faults.SlowLooking) && _looks.Chance(0.05)
        ? _looks.Between(100 * Span.Millisecond, 4 * Span.Second)
        : _looks.Between(500 * Span.Microsecond, 10 * Span.Millisecond);
}
