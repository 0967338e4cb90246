using System.Text.Json;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Peers;

namespace Harepd.Runtime;

/// <summary>
/// Plays an election, a renewal, a death and a release between two made-up nodes, on throwaway states, so that the first real one does not
/// wait for the compiler (native code has none, and does without this). Pure: nothing leaves it, and its time is its own.
/// </summary>
internal static class Rehearsal
{
    private const int MostSteps = 400;
    private static readonly MemberId First = new("rehearsal-a:1");
    private static readonly MemberId Second = new("rehearsal-b:1");

    /// <summary>Plays until the lease was held and released; returns the number of steps it took, for a test.</summary>
    public static int Play()
    {
        var membership = new Membership("rehearsal", 1, [First, Second]);
        var now = new Instant(1_000_000_000);
        var actor = new Actor(new NodeSettings { Self = First, Membership = membership, NodeName = "a" }, now);
        var voter = new Actor(new NodeSettings { Self = Second, Membership = membership, HasCandidate = false, IsWitness = true }, now);
        var identity = new PeerIdentity(membership, First, actor.Incarnation);
        now += TimeSpan.FromSeconds(10);
        actor.Post(new Input.Observed(Server(now, inRecovery: true)));
        actor.Post(new Input.Observed(Server(now + TimeSpan.FromMilliseconds(1), inRecovery: false)));
        for (var step = 1; step < MostSteps; step++)
        {
            now += TimeSpan.FromMilliseconds(10);
            actor.Step(now, effect => Carry(effect, actor, voter, identity));
            voter.Step(now, effect => Carry(effect, voter, actor, identity));
            if (step == MostSteps / 4)
            {
                actor.Post(new Input.PostmasterDied("the rehearsal ends"));
            }

            if (step > MostSteps / 4 && actor.State.Lease is { Held: null, IsYielding: false } && actor.State.Gate is { IsPending: false, Now: Gate.Fenced })
            {
                return step;
            }
        }

        return MostSteps;
    }

    private static ServerObservation Server(Instant at, bool inRecovery) => new()
    {
        At = at,
        Health = ServerHealth.Running,
        InRecovery = inRecovery,
        Timeline = new TimelinePoint(2, new Lsn(0x3000000)),
        SystemId = new SystemId(1),
    };

    /// <summary>Plays the rooms: votes go over the wire's own forms, the memory through its file's form, gates answer at once.</summary>
    private static void Carry(Effect effect, Actor from, Actor other, PeerIdentity identity)
    {
        switch (effect)
        {
            case Effect.Ask ask when ask.To == from.Self:
                from.Post(new Input.VoteAsked(1, ask.Request));
                break;
            case Effect.Ask ask:
                other.Post(new Input.VoteAsked(2, VoteWire.Read(VoteWire.Write(ask.Request, identity))));
                break;
            case Effect.Answer { RequestId: 1 } answer:
                from.Post(new Input.VoteAnswered(answer.Reply));
                break;
            case Effect.Answer answer:
                other.Post(new Input.VoteAnswered(VoteWire.Read(VoteWire.Write(answer.Reply))));
                break;
            case Effect.SaveTimeline save:
                from.Post(new Input.TimelineSaved(save.Timeline));
                break;
            case Effect.SaveMemory save:
                Write(save);
                break;
            case Effect.CloseGate close:
                from.Post(new Input.GateApplied(close.Sequence, close.To, IsConfirmed: true, ""));
                break;
            case Effect.OpenGate open:
                from.Post(new Input.GateApplied(open.Sequence, open.To, IsConfirmed: true, ""));
                break;
            case Effect.VerifyGate verify:
                from.Post(new Input.GateApplied(verify.Sequence, verify.Expected, IsConfirmed: true, ""));
                break;
            default:
                break;
        }
    }

    private static void Write(Effect.SaveMemory save)
    {
        var scope = new MemoryScope("", "", "", 1, 1, 1);
        if (save.Voter is { } voter)
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(VoterMemory.Of(voter, scope), MemoryJson.Default.VoterMemory);
            _ = JsonSerializer.Deserialize(bytes, MemoryJson.Default.VoterMemory)!.ToState();
        }

        if (save.Lease is { } lease)
        {
            _ = JsonSerializer.SerializeToUtf8Bytes(CandidateMemory.Of(lease, scope), MemoryJson.Default.CandidateMemory);
        }
    }

    /// <summary>One made-up node: a state, what waits for it, and nothing else.</summary>
    private sealed class Actor(NodeSettings settings, Instant now)
    {
        private readonly Queue<Input> _waiting = new();

        public Incarnation Incarnation { get; } = new((ulong)settings.Self.GetHashCode() | 1);

        public MemberId Self => settings.Self;

        public NodeState State { get; private set; } = NodeMachine.Create(
            settings,
            new NodeStart { Incarnation = new((ulong)settings.Self.GetHashCode() | 1), UnixMillis = 1, GateOnDisk = Gate.Fenced, IsTimelineTrusted = true },
            now);

        public void Post(Input input) => _waiting.Enqueue(input);

        public void Step(Instant at, Action<Effect> carry)
        {
            Turn(new Input.Tick(), at, carry);
            for (var left = 64; left > 0 && _waiting.TryDequeue(out var input); left--)
            {
                Turn(input, at, carry);
            }
        }

        private void Turn(Input input, Instant at, Action<Effect> carry)
        {
            var step = NodeMachine.Step(State, settings, input, at);
            State = step.State;
            foreach (var effect in step.Effects)
            {
                carry(effect);
            }
        }
    }
}
