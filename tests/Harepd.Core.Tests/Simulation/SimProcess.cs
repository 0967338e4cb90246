using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// One run of the daemon: a mailbox, the real node machine, and the rooms at its edge as far as they matter here. A stopped process
/// (SIGSTOP) does everything that fell due meanwhile when it is thawed, with the beliefs it had.
/// </summary>
internal sealed class SimProcess
{
    private const int MailboxSize = 2_000;
    private readonly World _world;
    private readonly SimHost _host;
    private readonly Queue<Input> _mailbox = new();
    private readonly List<Action> _frozen = [];
    private readonly SimLane _lane;
    private readonly SimOrders _orders;
    private bool _isTurning;
    private long _tickAt = long.MaxValue;
    private long _loopFreeAt;
    private int _looks;
    private bool _isAlarmed;
    private bool _isLookingOnce;
    private bool _hasLooked;
    private Instant _lastSeen;

    public SimProcess(World world, SimHost host, NodeSettings settings, NodeState state)
    {
        _world = world;
        _host = host;
        Settings = settings;
        State = state;
        _lane = new SimLane(world, host, this);
        _orders = new SimOrders(world, host, this);
        Watchdog = new SimWatchdog(world, host, this);
        IsAlive = true;
    }

    public NodeSettings Settings { get; }

    public NodeState State { get; private set; }

    public SimWatchdog Watchdog { get; }

    public bool IsAlive { get; private set; }

    public bool IsPaused { get; private set; }

    public long BegunAt { get; init; }

    /// <summary>When it ran again after it was stopped; its own start before that.</summary>
    public long ThawedAt { get; private set; }

    public void Start()
    {
        PlanTick();
        if (Settings.HasCandidate)
        {
            LookSoon();
        }
    }

    public void Die() => IsAlive = false;

    public void Pause() => IsPaused = true;

    public void Thaw()
    {
        IsPaused = false;
        ThawedAt = _world.Agenda.Now;
        var due = _frozen.ToList();
        _frozen.Clear();
        foreach (var action in due)
        {
            Run(action);
        }
    }

    /// <summary>The loop gets no processor time until then; lane and watchdog have threads of their own.</summary>
    public void Stall(long until) => _loopFreeAt = Math.Max(_loopFreeAt, until);

    public void Later(long delay, Action action) => LaterAt(_world.Agenda.Now + delay, action);

    public void LaterAt(long time, Action action) => _world.Agenda.At(time, () => Run(action));

    private void Run(Action action)
    {
        if (!IsAlive)
        {
            return;
        }

        if (IsPaused || _host.IsSuspended)
        {
            _frozen.Add(action);
            return;
        }

        action();
    }

    /// <summary>Puts an input in the mailbox; over its bound votes and reports are lost like messages.</summary>
    public void Post(Input input)
    {
        if (!IsAlive || (_mailbox.Count >= MailboxSize && input is Input.VoteAsked or Input.Heard))
        {
            return;
        }

        _mailbox.Enqueue(input);
        Wake();
    }

    private void Wake()
    {
        if (_isTurning)
        {
            return;
        }

        _isTurning = true;
        LaterAt(Math.Max(_world.Agenda.Now, _loopFreeAt), TurnAll);
    }

    private void TurnAll()
    {
        if (_world.Agenda.Now < _loopFreeAt)
        {
            LaterAt(_loopFreeAt, TurnAll);
            return;
        }

        _isTurning = false;
        if (_mailbox.TryDequeue(out var input))
        {
            Turn(input);
        }

        if (IsAlive && _mailbox.Count > 0)
        {
            Wake();
        }
    }

    private void Turn(Input input)
    {
        if (input is not (Input.Tick or Input.Heard))
        {
            _world.History.Add(_world.Agenda.Now, _host.Name, input);
        }

        var now = _host.Now;
        var before = State;
        var step = _world.Mutation.Step(before, Settings, input, now);
        State = step.State;
        _world.Steps++;
        _world.Checkers.Stepped(_host, this, before, step);
        foreach (var effect in step.Effects)
        {
            Perform(effect);
        }

        if (NodeMachine.IsStopped(State, Settings))
        {
            _world.Note(_host.Name, "ends cleanly");
            Die();
            return;
        }

        PlanTick();
    }

    private void PlanTick()
    {
        var due = _host.Clock.TimeOf(NodeMachine.NextTick(State, Settings));
        if (due >= _tickAt)
        {
            return;
        }

        _tickAt = due;
        LaterAt(due, () => Tick(due));
    }

    private void Tick(long planned)
    {
        if (planned != _tickAt)
        {
            return;
        }

        _tickAt = long.MaxValue;
        if (_host.Now < NodeMachine.NextTick(State, Settings))
        {
            PlanTick();
        }
        else
        {
            Post(new Input.Tick());
        }
    }

    private void Perform(Effect effect)
    {
        if (effect is not (Effect.Tell or Effect.SaveMemory or Effect.SetPace))
        {
            _world.History.Add(_world.Agenda.Now, _host.Name, effect);
        }

        switch (effect)
        {
            case Effect.ArmWatchdog arm:
                Watchdog.Arm(arm);
                break;
            case Effect.CloseGate or Effect.OpenGate or Effect.VerifyGate:
                _lane.Enqueue(effect);
                break;
            case Effect.SaveMemory save:
                _world.Mutation.Save(_host, save);
                break;
            case Effect.SaveTimeline save:
                Later(_world.Network.DiskDelay(), () => Saved(save.Timeline));
                break;
            case Effect.KeepMemory keep:
                _host.Kept = keep.Memory;
                break;
            case Effect.Ask ask:
                _world.Network.Ask(_host, this, ask);
                break;
            case Effect.Answer answer:
                _world.Network.Answer(_host, answer);
                break;
            case Effect.Tell:
                _world.Network.Tell(_host, this);
                break;
            case Effect.Steer steer:
                _world.Proxies.Steer(_host, this, steer);
                break;
            case Effect.Promote promote:
                Later(_world.Network.GateDelay(), () => Promote(promote));
                break;
            case Effect.Follow follow:
                Later(_world.Network.GateDelay(), () => _world.Replication.Follow(_host, follow.Host));
                break;
            case Effect.Synchronize synchronize:
                Later(_world.Network.GateDelay(), () => _world.Waiting.Synchronize(_host, this, synchronize));
                break;
            case Effect.ConsultHook or Effect.EngageHold or Effect.PrepareMove or Effect.StopServer or Effect.StartServer or Effect.RejoinServer:
                _orders.Take(effect);
                break;
            case Effect.TellMove { Event: { Kind: MoveEventKind.Ended } ended }:
                _world.Checkers.MoveEnded(ended.Outcome);
                break;
            case Effect.Look:
                LookOnce();
                break;
            case Effect.GetReady:
                break;
            case Effect.SetPace pace:
                _isAlarmed = pace.IsAlarmed;
                LookSoon();
                break;
            default:
                break;
        }
    }

    private void Saved(DurableTimeline timeline)
    {
        if (_world.Network.DiskFails())
        {
            Post(new Input.TimelineNotSaved(timeline, "no space left"));
            return;
        }

        _host.TimelineOnDisk = timeline;
        Post(new Input.TimelineSaved(timeline));
    }

    // The Postgres room.

    /// <summary>The postmaster's end is seen as the end of the session's socket, or only at the next look.</summary>
    public void ServerDied()
    {
        if (_world.Plan.Has(Faults.NoEndOfFile))
        {
            return;
        }

        Later(_world.Network.LookDelay(), () =>
        {
            if (!_host.Server.IsRunning)
            {
                Post(new Input.PostmasterDied("the session ended"));
            }
        });
    }

    /// <summary>Begins to look anew; a look under way is forgotten, so that readings come in the order in which they were begun.</summary>
    public void LookSoon()
    {
        if (Settings.HasCandidate)
        {
            var turn = ++_looks;
            Later(_world.Network.LookDelay(), () => Look(turn));
        }
    }

    private void Look(int turn)
    {
        if (turn != _looks)
        {
            return;
        }

        var seen = Seen();
        Later(_world.Network.LookDelay(), () =>
        {
            if (turn == _looks)
            {
                Tell(seen);
                Later(_isAlarmed ? 25 * Span.Millisecond : Span.Second, () => Look(turn));
            }
        });
    }

    /// <summary>One look beside the rhythm; readings are told in the order in which they were begun.</summary>
    private void LookOnce()
    {
        if (_isLookingOnce)
        {
            return;
        }

        _isLookingOnce = true;
        Later(_world.Network.LookDelay(), () =>
        {
            var seen = Seen();
            Later(_world.Network.LookDelay(), () =>
            {
                _isLookingOnce = false;
                Tell(seen);
            });
        });
    }

    private ServerObservation Seen()
    {
        var seen = _world.Waiting.Complete(_host, _host.Server.Look(_host.Now, _world.Plan.IsManaged ? _world.Agenda.Now : null));
        var isFirst = !_hasLooked;
        _hasLooked = true;

        // That nobody listens is known before anything was read.
        return isFirst && seen.Health == ServerHealth.StoppedCleanly ? seen with { Health = ServerHealth.Down, OnDisk = null, SystemId = default } : seen;
    }

    private void Tell(ServerObservation seen)
    {
        if (seen.At >= _lastSeen)
        {
            _lastSeen = seen.At;
            Post(new Input.Observed(seen));
        }
    }

    private void Promote(Effect.Promote promote)
    {
        var isLate = !_world.Mutation.PromotesLate && (_host.Now >= promote.NotAfter || _host.Now >= Watchdog.FenceAt);
        var refusal = isLate ? "the promotion came too late and was not begun"
            : !_host.Server.IsRunning || !_host.Server.IsStandby ? "the server is no running standby"
            : _world.Network.PromotionFails() ? "the server refused"
            : null;
        if (refusal is null)
        {
            _world.Checkers.Promoting(_host, this, promote.Term);
            _world.Replication.Promote(_host);
        }

        Post(new Input.PromotionAsked(promote.Term, refusal is null, refusal ?? "the server was told"));
    }
}
