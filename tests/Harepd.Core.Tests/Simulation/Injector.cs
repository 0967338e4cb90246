using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>Throws the faults of the plan at the world, each kind by its own dice, and takes them all back in the end.</summary>
internal sealed class Injector
{
    /// <summary>No order for one node lasts longer here.</summary>
    public static readonly TimeSpan LongestOrder = TimeSpan.FromSeconds(6);

    private readonly World _world;
    private readonly Dictionary<Faults, Dice> _dice = [];
    // Of its own, so that the rest of a seed stays as it was before there were such orders.
    private readonly Dice _local;
    private bool _isOver;

    public Injector(World world)
    {
        _world = world;
        _local = new Dice(world.Plan.Seed, "local orders");
        foreach (var fault in Enum.GetValues<Faults>().Where(fault => fault is not (Faults.None or Faults.All)))
        {
            _dice[fault] = new Dice(world.Plan.Seed, fault.ToString());
        }
    }

    public void Start()
    {
        foreach (var (fault, dice) in _dice.Where(pair => _world.Plan.Has(pair.Key)))
        {
            Plan(fault, dice);
        }
    }

    public void Stop() => _isOver = true;

    private void Plan(Faults fault, Dice dice) => _world.Agenda.After(dice.Exponential(_world.Plan.FaultEvery), () =>
    {
        if (!_isOver)
        {
            Strike(fault, dice);
            Plan(fault, dice);
        }
    });

    private void Strike(Faults fault, Dice dice)
    {
        var host = dice.Pick(_world.Hosts);
        var data = dice.Pick(_world.DataHosts);
        var process = host.Processes.Count == 0 ? null : dice.Pick(host.Processes);
        var brief = dice.Exponential(Span.Second);
        switch (fault)
        {
            case Faults.Cuts:
                Cut(dice, 4 * brief);
                break;
            case Faults.Flapping:
                Flap(dice, 8);
                break;
            case Faults.Kill when process is not null:
                Kill(host, process, forgets: false, brief / 4);
                break;
            case Faults.KillAndForget when process is not null:
                Kill(host, process, forgets: true, brief);
                break;
            case Faults.Pause when process is not null:
                Pause(host, process, 2 * brief);
                break;
            case Faults.SlowLoop:
                process?.Stall(_world.Agenda.Now + brief / 2);
                break;
            case Faults.Reboot:
                Reboot(host, dice, 3 * brief);
                break;
            case Faults.Suspend when !host.IsSuspended && host.IsUp:
                _world.Note(host.Name, "is suspended");
                host.IsSuspended = true;
                _world.Agenda.After(3 * brief, () => Resume(host));
                break;
            case Faults.CleanStop when process is { IsPaused: false }:
                _world.Note(host.Name, "daemon is told to stop");
                process.Post(new Input.Stop("the simulation says so"));
                _world.Agenda.After(4 * brief + Span.Second, () => _world.StartDaemon(host));
                break;
            case Faults.DiskLost:
                LoseDisk(host, brief);
                break;
            case Faults.OtherMembership when process is not null:
                OtherMembership(host, brief);
                break;
            case Faults.WallSteps:
                host.WallOffsetMillis += (long)((dice.Fraction() - 0.5) * 20_000);
                break;
            case Faults.Switchover:
                Switchover(dice);
                break;
            case Faults.ProxyReload:
                _world.Proxies.Reload(dice.Below(2));
                break;
            default:
                StrikeServer(fault, data, dice, brief);
                break;
        }
    }

    /// <summary>An operator orders a planned move at whoever serves; now and then two, or one that is cancelled.</summary>
    private void Switchover(Dice dice)
    {
        if (_local.Chance(0.5))
        {
            OrderLocally();
        }

        var order = new MoveOrder(_world.Agenda.Now, "", TimeSpan.FromSeconds(1 + dice.Below(3)), IsDryRun: false) { IsRestart = dice.Chance(0.2) };
        var (isTwice, isCancelled) = (dice.Chance(0.1), dice.Chance(0.1));
        var served = _world.DataHosts.FirstOrDefault(host => host.IsWriteOpen)?.Candidate;
        served?.Post(new Input.MoveOrdered(order));
        if (dice.Chance(0.3))
        {
            // An operator who has lost patience, with whatever standby is at hand.
            var impatient = _world.DataHosts[dice.Below(_world.DataHosts.Count)].Candidate;
            impatient?.Post(new Input.TakeoverOrdered(new TakeoverOrder(order.Id, AcceptsLoss: dice.Chance(0.5), IsDryRun: false)));
        }

        if (served is not null && _local.Chance(0.3))
        {
            var host = _world.DataHosts.First(data => data.Candidate == served);
            _world.Agenda.After(_local.Below(1500) * Span.Millisecond, () => DieInTheMiddle(host, served));
        }

        if (isTwice)
        {
            served?.Post(new Input.MoveOrdered(order with { Id = order.Id + 1 }));
        }

        if (isCancelled)
        {
            _world.Agenda.After(30 * Span.Millisecond, () => served?.Post(new Input.MoveCancelled("the simulation says so")));
        }
    }

    /// <summary>An operator orders something of one node alone: whatever there is, and often a start of a server that is down.</summary>
    private void OrderLocally()
    {
        if (_isOver)
        {
            return;
        }

        var down = _world.DataHosts.Where(host => host.IsUp && !host.Server.IsRunning).ToList();
        var starts = down.Count > 0 && _local.Chance(0.7);
        var kind = starts ? LocalOrderKind.Start : _local.Pick(Enum.GetValues<LocalOrderKind>());
        var order = new LocalOrder(_world.Agenda.Now, kind, _local.Chance(0.1))
        {
            For = TimeSpan.FromMilliseconds(500 + _local.Below((int)LongestOrder.TotalMilliseconds - 500)),
            AcceptsOutage = _local.Chance(0.5),
            Timeout = TimeSpan.FromSeconds(1 + _local.Below(3)),
        };
        _local.Pick(starts ? down : _world.DataHosts).Candidate?.Post(new Input.LocalOrdered(order));
        if (kind == LocalOrderKind.Stop)
        {
            _world.Agenda.After(Span.Second + _local.Below(2000) * Span.Millisecond, OrderLocally);
        }
    }

    /// <summary>The daemon dies while its planned move is under way.</summary>
    private void DieInTheMiddle(SimHost host, SimProcess process)
    {
        if (process is { IsAlive: true, State.Move.IsOver: false } && !_isOver)
        {
            Kill(host, process, _local.Chance(0.2), _local.Below(3000) * Span.Millisecond);
        }
    }

    private void StrikeServer(Faults fault, SimHost host, Dice dice, long brief)
    {
        var server = host.Server;
        if (!host.IsUp || host.IsSuspended || !server.IsRunning)
        {
            return;
        }

        switch (fault)
        {
            case Faults.ServerCrash or Faults.ServerStop:
                _world.Note(host.Name, "server goes down");
                host.StopServer(fault == Faults.ServerStop);
                break;
            case Faults.ServerHang:
                server.IsHung = true;
                _world.Agenda.After(3 * brief, () => server.IsHung = false);
                break;
            case Faults.SlotsFull:
                server.HasSlotsFull = true;
                _world.Agenda.After(3 * brief, () => server.HasSlotsFull = false);
                break;
            case Faults.CannotWrite:
                server.CannotWrite = true;
                _world.Agenda.After(3 * brief, () => server.CannotWrite = false);
                break;
            case Faults.RoguePromotion when server.IsStandby:
                _world.Repmgr.PromoteNow(host);
                break;
            case Faults.SlowLooking when server.IsStandby:
                server.IsLagging = dice.Chance(0.5);
                break;
            default:
                break;
        }
    }

    private void Cut(Dice dice, long duration)
    {
        var one = dice.Pick(_world.Hosts);
        var kind = dice.Below(4);
        foreach (var other in _world.Hosts.Where(other => other != one && (kind > 1 || dice.Chance(0.5))))
        {
            _world.Network.Cut(one, other);
            if (kind != 1)
            {
                _world.Network.Cut(other, one);
            }

            var (from, to) = (one, other);
            _world.Agenda.After(duration, () =>
            {
                _world.Network.Heal(from, to);
                _world.Network.Heal(to, from);
            });
        }

        _world.Note(one.Name, kind == 1 ? "is cut off one way" : kind > 1 ? "is cut off" : "is cut off in part");
    }

    private void Flap(Dice dice, int left)
    {
        if (left > 0 && !_isOver)
        {
            Cut(dice, 100 * Span.Millisecond);
            _world.Agenda.After(200 * Span.Millisecond, () => Flap(dice, left - 1));
        }
    }

    private void Kill(SimHost host, SimProcess process, bool forgets, long backAfter)
    {
        _world.Note(host.Name, forgets ? "daemon is killed and forgets" : "daemon is killed");
        process.Die();
        if (forgets)
        {
            _world.Forget(host, process);
        }

        _world.Agenda.After(backAfter + 50 * Span.Millisecond, () => _world.StartDaemon(host));
    }

    private void Pause(SimHost host, SimProcess process, long duration)
    {
        _world.Note(host.Name, "daemon is stopped (SIGSTOP)");
        process.Pause();
        _world.Agenda.After(duration, () =>
        {
            if (process.IsPaused)
            {
                _world.Note(host.Name, "daemon is thawed");
                process.Thaw();
            }
        });
    }

    private void Reboot(SimHost host, Dice dice, long downtime)
    {
        if (!host.IsUp)
        {
            return;
        }

        _world.Note(host.Name, "host goes down");
        _world.PowerOff(host);
        var ppm = _world.DrawRate(dice);
        _world.Agenda.After(downtime + Span.Second, () => _world.PowerOn(host, ppm));
    }

    /// <summary>The daemon's state folder is gone; one at a time, and not before the one before it was told what it lost.</summary>
    private void LoseDisk(SimHost host, long backAfter)
    {
        if (_world.Hosts.Any(other => other.TimelineOnDisk.IsNone))
        {
            return;
        }

        _world.Note(host.Name, "daemon is killed and its disk is lost");
        foreach (var process in host.Processes.ToList())
        {
            process.Die();
            _world.Forget(host, process);
        }

        host.TimelineLost = host.TimelineOnDisk.Point;
        host.TimelineOnDisk = default;
        _world.Agenda.After(backAfter + 50 * Span.Millisecond, () => _world.StartDaemon(host));
    }

    private void Resume(SimHost host)
    {
        if (host.IsSuspended)
        {
            _world.Note(host.Name, "is resumed");
            host.Resume();
        }
    }

    /// <summary>The daemon runs under another membership for a while: no vote passes between it and the rest (R10).</summary>
    private void OtherMembership(SimHost host, long duration)
    {
        _world.Note(host.Name, "daemon runs under another membership");
        _world.Restart(host, hasOtherMembership: true);
        _world.Agenda.After(duration, () => _world.Restart(host, hasOtherMembership: false));
    }
}
