using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core.Tests.Transcripts;

/// <summary>
/// A few node machines on one clock, with every message, gate operation and save held until the script lets it happen.
/// What is stepped is told to the narrator in the order in which it happens.
/// </summary>
internal sealed class Stage(Narrator narrator)
{
    private readonly SortedDictionary<string, Actor> _actors = new(StringComparer.Ordinal);
    private readonly List<Letter> _letters = [];
    private readonly HashSet<(string, string)> _cuts = [];
    private Membership _membership = new("stage", 1, [new MemberId("a")]);
    private NodeSettings _settings = new() { Self = default, Membership = new("stage", 1, [new MemberId("a")]) };
    private long _lastRequest;
    private long _runs;
    private long _orders;

    public Instant Now { get; private set; } = Samples.Start;

    public void Gather(IReadOnlyList<string> names, bool allowReads, FailoverPolicy failover, bool isHooked)
    {
        _membership = new Membership("stage", 1, names.Select(name => new MemberId(name.TrimEnd('*'))));
        _settings = _settings with { Membership = _membership, AllowReads = allowReads, Failover = failover, ServerPort = 5432 };
        _settings = _settings with { MoveHook = isHooked ? TimeSpan.FromSeconds(10) : null };
        foreach (var name in names)
        {
            var id = name.TrimEnd('*');
            _actors[id] = new Actor(id, name.EndsWith('*'));
        }
    }

    public void Start(string name, bool resume, Gate gateOnDisk)
    {
        var actor = _actors[name];
        actor.Settings = _settings with { Self = new MemberId(name), NodeName = name, Address = name, IsWitness = actor.IsWitness, HasCandidate = !actor.IsWitness };
        var start = new NodeStart
        {
            Incarnation = new Incarnation((ulong)++_runs),
            UnixMillis = (long)(Now - Samples.Start).TotalMilliseconds,
            Voter = resume ? actor.SavedVoter : null,
            Lease = resume ? actor.SavedLease : null,
            Timeline = actor.DurableTimeline,
            GateOnDisk = gateOnDisk,
            TermOnDisk = actor.TermOnDisk,
            IsTimelineTrusted = true,
            Memory = actor.Kept,
        };
        actor.State = NodeMachine.Create(actor.Settings, start, Now);
        actor.Server ??= Samples.Server(ServerHealth.Unknown, null, Now);
        Step(actor, new Input.Tick(), resume ? "starts and resumes" : "starts");
    }

    /// <summary>The process is gone: what it had asked for and what it had not read is lost, what it had sent is not.</summary>
    public void Crash(string name)
    {
        var actor = _actors[name];
        actor.State = null;
        actor.PendingGate = null;
        actor.PendingTimeline = null;
        narrator.Tell(Now, name, "crashes");
    }

    public void Observe(string name, ServerObservation server)
    {
        _actors[name].Server = server;
        Step(_actors[name], new Input.Observed(server with { At = Now }), $"sees {Narrator.Describe(server)}");
    }

    public void PostmasterDies(string name)
    {
        _actors[name].Server = Samples.Server(ServerHealth.Down, null, Now);
        Step(_actors[name], new Input.PostmasterDied("the socket was closed"), "sees the postmaster die");
    }

    /// <summary>The server could not be told to promote itself.</summary>
    public void FailPromotion(string name)
    {
        var term = _actors[name].State!.Promotion.Current?.Term ?? default;
        Step(_actors[name], new Input.PromotionAsked(term, IsAsked: false, "the server refused"), "cannot promote its server");
    }

    /// <summary>An operator orders a planned move.</summary>
    public void Order(string name, string to, bool isDryRun) =>
        Step(_actors[name], new Input.MoveOrdered(new MoveOrder(++_orders, to, TimeSpan.FromSeconds(10), isDryRun)), $"is ordered to move{(to.Length > 0 ? $" to {to}" : "")}");

    /// <summary>An operator orders a planned move for later.</summary>
    public void OrderLater(string name, TimeSpan after, bool isRestart = false) => Step(
        _actors[name],
        new Input.MoveOrdered(new MoveOrder(++_orders, "", TimeSpan.FromSeconds(10), IsDryRun: false) { After = after, IsRestart = isRestart }),
        $"is ordered to {(isRestart ? "restart its server" : "move")} after {after}");

    /// <summary>An operator orders that the primary's server be restarted.</summary>
    public void Restart(string name) => Step(
        _actors[name], new Input.MoveOrdered(new MoveOrder(++_orders, "", TimeSpan.FromSeconds(10), IsDryRun: false) { IsRestart = true }), "is ordered to restart its server");

    /// <summary>An operator orders a failover.</summary>
    public void TakeOver(string name, bool acceptsLoss, bool isDryRun) => Step(
        _actors[name],
        new Input.TakeoverOrdered(new TakeoverOrder(++_orders, acceptsLoss, isDryRun)),
        $"is ordered to take over{(acceptsLoss ? ", whatever is lost" : "")}");

    public void Cancel(string name) => Step(_actors[name], new Input.MoveCancelled("cancelled by an operator"), "is told to take the move back");

    public void AnswerHold(string name, bool isHeld) =>
        Step(_actors[name], new Input.HoldSettled(Awaited(name), isHeld, isHeld ? "held" : "no hold is configured"), isHeld ? "clients are held" : "clients are not held");

    public void AnswerOrder(string name, Lsn end, bool isDone) => Step(
        _actors[name],
        new Input.OrderDone(Awaited(name), isDone, end, isDone ? end == default ? "done" : $"stopped, ends before {end}" : "the server would not"),
        isDone ? "its server did as ordered" : "its server did not do as ordered");

    public void Pause(string name, TimeSpan span) =>
        Step(_actors[name], new Input.PauseOrdered(++_orders, span), span > TimeSpan.Zero ? "is told to pause failovers" : "is told to resume");

    /// <summary>An operator orders something of this node alone.</summary>
    public void OrderLocal(string name, LocalOrderKind kind, TimeSpan span, string[] options) => Step(
        _actors[name],
        new Input.LocalOrdered(new LocalOrder(++_orders, kind, options.Contains("dry")) { For = span, AcceptsOutage = options.Contains("accept") }),
        $"gets the order {kind}{(span > TimeSpan.Zero ? $" for {span}" : "")}");

    /// <summary>What became of an order to stop or start a server that is no holder's.</summary>
    public void AnswerLocal(string name, bool isDone, Lsn end) => Step(
        _actors[name],
        new Input.OrderDone(_actors[name].State!.Orders.Start?.Awaited ?? _actors[name].State!.Orders.Stop?.Awaited ?? 0, isDone, end, isDone ? "done" : "the server would not"),
        isDone ? "its server did as ordered" : "its server did not do as ordered");

    public void OrderRejoin(string name) => Step(_actors[name], new Input.RejoinOrdered(), "is told to rejoin");

    public void AnswerRejoin(string name, bool isDone) => Step(
        _actors[name],
        new Input.OrderDone(_actors[name].State!.Rejoin.Awaited, isDone, default, isDone ? "rewound" : "the new primary is not ready") { IsFinal = false },
        isDone ? "its server was made a standby" : "its server was not made a standby");

    public void AnswerSynchronize(string name, bool isDone) => Step(
        _actors[name],
        new Input.OrderDone(_actors[name].State!.Synchrony.Awaited, isDone, default, isDone ? "set" : "the server would not"),
        isDone ? "synchronous_standby_names is set" : "synchronous_standby_names is not set");

    private long Awaited(string name) => _actors[name].State!.Move?.Awaited ?? 0;

    public void Stop(string name) => Step(_actors[name], new Input.Stop("told to stop"), "is told to stop");

    public void FireWatchdog(string name)
    {
        var actor = _actors[name];
        Step(actor, new Input.WatchdogFired(actor.State!.Lease!.Held?.Term ?? default), "hears that its watchdog fenced");
    }

    public void AnswerGate(string name, bool isDone)
    {
        var actor = _actors[name];
        if (actor.PendingGate is not { } pending)
        {
            narrator.Tell(Now, name, "was asked for no gate operation");
            return;
        }

        actor.PendingGate = null;
        actor.TermOnDisk = pending.Term;
        var input = new Input.GateApplied(pending.Sequence, isDone ? pending.To : Gate.ReadWrite, isDone, isDone ? "done" : "the server did not reload");
        Step(actor, input, isDone ? $"gate #{pending.Sequence} is done" : $"gate #{pending.Sequence} failed");
    }

    public void SaveTimeline(string name)
    {
        var actor = _actors[name];
        if (actor.PendingTimeline is { } timeline)
        {
            actor.PendingTimeline = null;
            actor.DurableTimeline = timeline;
            Step(actor, new Input.TimelineSaved(timeline), $"has timeline {timeline.Point} on disk");
        }
    }

    public void Cut(string left, string right, bool isCut)
    {
        foreach (var pair in new[] { (left, right), (right, left) })
        {
            _ = isCut ? _cuts.Add(pair) : _cuts.Remove(pair);
        }
    }

    /// <summary>Delivers what is on its way, and what follows from it, until all is quiet.</summary>
    public void Deliver()
    {
        for (var i = 0; i < 10_000 && _letters.Count > 0; i++)
        {
            var letter = _letters[0];
            _letters.RemoveAt(0);
            Hand(letter);
        }
    }

    public void Lose() => _letters.Clear();

    /// <summary>Lets time pass; every machine ticks when it wants to. In an easy run everything asked for also succeeds at once.</summary>
    public void Wait(TimeSpan span, bool isEasy)
    {
        var end = Now + span;
        var nextLook = Now;
        while (true)
        {
            if (isEasy)
            {
                Oblige();
            }

            var next = _actors.Values.Where(actor => actor.State is not null)
                .Select(actor => Instant.Max(Now, NodeMachine.NextTick(actor.State!, actor.Settings!)))
                .Append(isEasy ? nextLook + TimeSpan.FromSeconds(1) : Instant.Forever)
                .Append(end).Min();
            Now = next;
            if (isEasy && Now >= nextLook + TimeSpan.FromSeconds(1))
            {
                nextLook = Now;
                LookAtServers();
            }

            foreach (var actor in _actors.Values.Where(actor => actor.State is not null && NodeMachine.NextTick(actor.State, actor.Settings!) <= Now).ToList())
            {
                Step(actor, new Input.Tick(), null);
            }

            if (Now >= end)
            {
                if (isEasy)
                {
                    Oblige();
                }

                return;
            }
        }
    }

    private void LookAtServers()
    {
        foreach (var actor in _actors.Values.Where(actor => actor is { State: not null, IsWitness: false }))
        {
            Step(actor, new Input.Observed(actor.Server! with { At = Now }), null);
        }
    }

    private void Oblige()
    {
        var isBusy = true;
        while (isBusy)
        {
            isBusy = _letters.Count > 0;
            Deliver();
            foreach (var actor in _actors.Values)
            {
                isBusy |= actor.PendingTimeline is not null || actor.PendingGate is not null;
                SaveTimeline(actor.Name);
                if (actor.PendingGate is not null)
                {
                    AnswerGate(actor.Name, isDone: true);
                }
            }
        }
    }

    private void Hand(Letter letter)
    {
        if (_actors[letter.To].State is null || _cuts.Contains((letter.From, letter.To)))
        {
            narrator.Lost(Now, letter.From, letter.To, letter.Text);
            return;
        }

        Step(_actors[letter.To], letter.Input, letter.Input is Input.Heard ? null : $"hears from {letter.From}: {letter.Text}");
    }

    private void Step(Actor actor, Input input, string? what)
    {
        var wasStopped = NodeMachine.IsStopped(actor.State!, actor.Settings!);
        var (state, effects) = NodeMachine.Step(actor.State!, actor.Settings!, input, Now);
        actor.State = state;
        narrator.Tell(Now, actor.Name, what, effects, actor.Settings!.Lease);
        foreach (var effect in effects)
        {
            Carry(actor, effect);
        }

        if (!wasStopped && NodeMachine.IsStopped(state, actor.Settings!))
        {
            narrator.Tell(Now, actor.Name, "may end");
        }
    }

    private void Carry(Actor actor, Effect effect)
    {
        switch (effect)
        {
            case Effect.CloseGate close:
                actor.PendingGate = (close.Sequence, close.To, close.Term);
                break;
            case Effect.OpenGate open:
                actor.PendingGate = (open.Sequence, open.To, open.Term);
                break;
            case Effect.VerifyGate verify:
                actor.PendingGate = (verify.Sequence, verify.Expected, verify.Term);
                break;
            case Effect.SaveMemory memory:
                (actor.SavedVoter, actor.SavedLease) = (memory.Voter, memory.Lease);
                break;
            case Effect.KeepMemory keep:
                actor.Kept = keep.Memory;
                break;
            case Effect.SaveTimeline save:
                actor.PendingTimeline = save.Timeline;
                break;
            case Effect.Ask ask:
                var id = ++_lastRequest;
                actor.Asked[id] = ask.To.Address;
                _letters.Add(new Letter(actor.Name, ask.To.Address, new Input.VoteAsked(id, ask.Request), Narrator.Describe(ask.Request)));
                break;
            case Effect.Answer answer:
                var asker = _actors.Values.First(other => other.Asked.Remove(answer.RequestId));
                _letters.Add(new Letter(actor.Name, asker.Name, new Input.VoteAnswered(answer.Reply), Narrator.Describe(answer.Reply)));
                break;
            case Effect.Tell:
                foreach (var other in _actors.Keys.Where(name => name != actor.Name))
                {
                    _letters.Add(new Letter(actor.Name, other, new Input.Heard(actor.State!.View.ToTell(Now)), "report"));
                }

                break;
            default:
                break;
        }
    }

    private sealed record Letter(string From, string To, Input Input, string Text);

    private sealed class Actor(string name, bool isWitness)
    {
        public string Name => name;

        public bool IsWitness => isWitness;

        public NodeSettings? Settings { get; set; }

        public NodeState? State { get; set; }

        public ServerObservation? Server { get; set; }

        public (long Sequence, Gate To, Term Term)? PendingGate { get; set; }

        public DurableTimeline? PendingTimeline { get; set; }

        public DurableTimeline DurableTimeline { get; set; }

        public VoterState? SavedVoter { get; set; }

        public LeaseState? SavedLease { get; set; }

        public Term TermOnDisk { get; set; }

        public DurableMemory Kept { get; set; } = new();

        public Dictionary<long, string> Asked { get; } = [];
    }
}
