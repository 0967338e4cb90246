using Harepd.Clock;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>
/// The loop: takes one input, reads the clock once, runs the pure step and hands its effects to the rooms in the order given.
/// Runs on a thread of its own; nothing in it waits for a disk, a peer, DNS or a log (DESIGN section 4). An exception here is an
/// invariant broken: the loop ends, the caller fences and exits.
/// </summary>
internal sealed class NodeLoop
{
    private const long OwnVote = -1;
    private volatile NodeSettings _settings;
    private readonly Mailbox _mailbox;
    private readonly Rooms _rooms;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private volatile NodeState _state;
    private volatile bool _isAbandoned;
    private bool _isMemoryOwed;
    private long _lastStepNanos;

    public NodeLoop(NodeSettings settings, NodeState initial, Mailbox mailbox, Rooms rooms)
    {
        _settings = settings;
        _state = initial;
        _mailbox = mailbox;
        _rooms = rooms;
        _lastStepNanos = initial.LastStep.Nanos;
        _thread = new Thread(Run) { Name = "decide", IsBackground = true, Priority = ThreadPriority.Highest };
    }

    /// <summary>The newest state; a snapshot that never changes.</summary>
    public NodeState State => _state;

    /// <summary>When the loop last turned, on the boot-time clock: what liveness is judged by.</summary>
    public Instant LastStep => new(Interlocked.Read(ref _lastStepNanos));

    /// <summary>Completes when the machine has stopped cleanly or was abandoned; faults when an invariant broke.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Goes on with other settings from the next step on; membership and lease must be the same.</summary>
    public void Reconfigure(NodeSettings settings) => _settings = settings;

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Leaves everything as it is and ends: the next run resumes (R7). The watchdog outside the process stays armed.</summary>
    public void Abandon()
    {
        _isAbandoned = true;
        _mailbox.TryPost(new Input.Tick());
        _thread.Join(TimeSpan.FromSeconds(1));
    }

    private void Run()
    {
        try
        {
            while (!_isAbandoned && !NodeMachine.IsStopped(_state, _settings))
            {
                var input = _mailbox.Take(NodeMachine.NextTick(_state, _settings)) ?? new Input.Tick();
                if (!_isAbandoned)
                {
                    Turn(input);
                }
            }

            _ended.TrySetResult();
        }
        catch (Exception error)
        {
            _ended.TrySetException(error);
        }
    }

    private void Turn(Input input)
    {
        var now = BootClock.Now;
        var step = NodeMachine.Step(_state, _settings, input, now);
        _state = step.State;
        Interlocked.Exchange(ref _lastStepNanos, now.Nanos);

        // A memory that could not be kept stays owed: no vote leaves before it is on tmpfs, in this step or a later one (R7).
        var mayLeave = !_isMemoryOwed || _rooms.Save(new Effect.SaveMemory(_state.Voter, _state.Lease));
        foreach (var effect in step.Effects)
        {
            mayLeave = Perform(effect, mayLeave);
        }

        _isMemoryOwed = !mayLeave;
    }

    /// <summary>Performs one effect; returns whether votes may still leave in this step.</summary>
    private bool Perform(Effect effect, bool mayLeave)
    {
        switch (effect)
        {
            case Effect.ArmWatchdog arm:
                _rooms.Arm(arm);
                break;
            case Effect.CloseGate or Effect.OpenGate or Effect.VerifyGate:
                _rooms.Gate(effect);
                break;
            case Effect.Steer steer:
                _rooms.Steer(steer);
                break;
            case Effect.Point point:
                _rooms.Point(point);
                break;
            case Effect.EngageHold or Effect.ReleaseHold:
                _rooms.Hold(effect);
                break;
            case Effect.Promote or Effect.Follow or Effect.Synchronize or Effect.GetReady:
                _rooms.Control(effect);
                break;
            case Effect.PrepareMove or Effect.StopServer or Effect.StartServer or Effect.RejoinServer:
                _rooms.Order(effect);
                break;
            case Effect.ConsultHook consult:
                _rooms.Consult(consult);
                break;
            case Effect.NotePrimary note:
                _rooms.NotePrimary(note.Term);
                break;
            case Effect.TellMove tell:
                _rooms.TellMove(tell.Event);
                break;
            case Effect.Look:
                _rooms.Look();
                break;
            case Effect.SaveMemory save:
                return _rooms.Save(save) && mayLeave;
            case Effect.SaveTimeline save:
                _rooms.SaveTimeline(save.Timeline);
                break;
            case Effect.KeepMemory keep:
                _rooms.Keep(keep.Memory);
                break;
            case Effect.Ask ask when mayLeave:
                Ask(ask);
                break;
            case Effect.Answer answer when mayLeave:
                Answer(answer);
                break;
            case Effect.Tell tell:
                _rooms.Tell(tell.Report, _state.View);
                break;
            case Effect.SetPace pace:
                _rooms.Pace(pace.IsAlarmed);
                break;
            case Effect.Record record:
                _rooms.Record(record.Decision);
                break;
            default:
                break;
        }

        return mayLeave;
    }

    /// <summary>The own voter is asked like any other, by the mailbox (R5); in a client process it lives elsewhere and is reached by the link.</summary>
    private void Ask(Effect.Ask ask)
    {
        if (ask.To == _settings.Self && _settings.HasVoter)
        {
            _mailbox.TryPost(new Input.VoteAsked(OwnVote, ask.Request));
        }
        else
        {
            _rooms.Ask(ask.To, ask.Request);
        }
    }

    private void Answer(Effect.Answer answer)
    {
        if (answer.RequestId == OwnVote)
        {
            _mailbox.TryPost(new Input.VoteAnswered(answer.Reply));
        }
        else
        {
            _rooms.Answer(answer.RequestId, answer.Reply);
        }
    }
}
