using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Machine;

/// <summary>What a holder (a) tells the voters of what it waits for, and in which order it lets its server wait for a standby (b) (ADR 0018).</summary>
public sealed class SynchronyStatementTests
{
    private static readonly Synchrony _ofB = new(1, ["b"]);
    private static readonly NodeSettings _unmanaged = new() { Self = A, Membership = Three, NodeName = "a", Failover = new FailoverPolicy { Promoter = Promoter.Harepd, SynchronousOnly = true } };
    private static readonly NodeSettings _managed = _unmanaged with { Failover = _unmanaged.Failover with { ManagesSynchrony = true } };
    private readonly NodeSettings _node;
    private double _at;
    private NodeState _state;
    private ImmutableArray<Effect> _effects = [];

    public SynchronyStatementTests()
        : this(_unmanaged)
    {
    }

    private SynchronyStatementTests(NodeSettings node)
    {
        _node = node;
        _state = NodeMachine.Create(node, new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1, GateOnDisk = Gate.Fenced, Timeline = new DurableTimeline(OneSystem, First) }, At(0));
        Step(new Input.Observed(Seen(Synchrony.None)));
        Step(new Input.GateApplied(_state.Gate.Sequence, Gate.Fenced, true, "done"));
        Pass(4);
        Assert.NotNull(_state.Lease!.Held);
    }

    [Fact]
    public void A_setting_is_stated_only_when_it_was_taken_in_and_the_standby_has_what_was_written_before()
    {
        Look(Seen(_ofB, taken: false), 5);
        Assert.Equal(Synchrony.None, Stated());

        Look(Seen(_ofB, flushed: 0x2FFFFFF), 5);
        Assert.Equal(Synchrony.None, Stated());

        Look(Seen(_ofB), 2);
        Assert.Equal(_ofB, Stated());
    }

    [Fact]
    public void A_setting_that_was_seen_for_less_than_a_second_is_not_stated()
    {
        for (var i = 0; i < 9; i++)
        {
            Step(new Input.Observed(Seen(_ofB)), 100);
        }

        Assert.Equal(Synchrony.None, _state.Synchrony.Statement);
    }

    [Fact]
    public void What_is_weakened_by_hand_is_stated_at_once()
    {
        Look(Seen(_ofB), 5);
        _effects = [];
        Step(new Input.Observed(Seen(Synchrony.None)), 1);

        var asked = Assert.IsType<LeaseRequest.Accept>(_effects.OfType<Effect.Ask>().First().Request);
        Assert.Equal(Synchrony.None, asked.Stated);
    }

    [Fact]
    public void A_name_that_two_servers_use_proves_nothing()
    {
        var seen = Seen(_ofB);
        Look(seen with { Replicas = [.. seen.Replicas, seen.Replicas[0] with { ClientAddress = "10.0.0.9" }] }, 5);

        Assert.Equal(Synchrony.None, Stated());
    }

    [Fact]
    public void A_new_run_of_the_server_is_proven_anew()
    {
        Look(Seen(_ofB), 5);
        Step(new Input.Observed(Seen(_ofB) with { PostmasterStarted = DateTime.UnixEpoch }), 1);

        Assert.Equal(Synchrony.None, _state.Synchrony.Statement);
    }

    [Fact]
    public void Managed_the_server_is_told_to_wait_for_less_only_when_the_last_ballot_sent_said_so()
    {
        var test = new SynchronyStatementTests(_managed);
        test.Heard();
        test.Obey(_ofB);
        test.Look(Seen(_ofB), 5);
        Assert.Equal(_ofB, test.Stated());

        // The standby is gone for longer than is borne; nobody answers the renewals that say so.
        test._effects = [];
        for (var i = 0; i < 10; i++)
        {
            test.Step(new Input.Observed(Seen(_ofB) with { Replicas = [] }), 1000, areAnswered: i < 9);
        }

        Assert.Equal(Synchrony.None, test._state.Synchrony.Target);
        Assert.All(test._effects.OfType<Effect.Ask>().Select(ask => ask.Request).OfType<LeaseRequest.Accept>().TakeLast(3), accept => Assert.Equal(Synchrony.None, accept.Stated));
        Assert.Empty(test._effects.OfType<Effect.Synchronize>());

        test.Step(new Input.Observed(Seen(_ofB) with { Replicas = [] }), 600);
        Assert.Equal(Synchrony.None, Assert.Single(test._effects.OfType<Effect.Synchronize>()).Wanted);
        Assert.Equal(Synchrony.None, test.Stated());
    }

    [Fact]
    public void Managed_a_standby_that_streams_but_does_not_get_on_is_waited_for_no_longer_than_one_that_is_gone()
    {
        var test = new SynchronyStatementTests(_managed);
        test.Heard();
        test.Obey(_ofB);
        test.Look(Seen(_ofB), 5);
        test._effects = [];

        test.Look(Seen(_ofB) with { WriteLsn = new Lsn(0x3000100) }, 11);

        Assert.Equal(Synchrony.None, test._effects.OfType<Effect.Synchronize>().First().Wanted);
    }

    [Fact]
    public void Managed_a_standby_under_another_name_is_told_of()
    {
        var test = new SynchronyStatementTests(_managed);
        test.Heard();
        var seen = Seen(Synchrony.None);
        test.Look(seen with { Replicas = [seen.Replicas[0] with { ApplicationName = "walreceiver" }] }, 2);

        Assert.Contains("walreceiver streams", test._effects.OfType<Effect.Record>().Last(record => record.Decision.Kind == DecisionKind.SynchronyFailed).Decision.Reason, StringComparison.Ordinal);
    }

    private static ServerObservation Seen(Synchrony waits, bool taken = true, ulong flushed = 0x3000000) => Primary(Start) with
    {
        Synchrony = waits,
        IsSynchronyTaken = taken,
        Replicas = [new ReplicaLink("b", "10.0.0.2", "streaming", "quorum", new Lsn(flushed), new Lsn(flushed))],
    };

    /// <summary>What a majority noted last.</summary>
    private Synchrony? Stated() => _state.Lease!.Held?.Under?.Stated;

    /// <summary>The others say what they are.</summary>
    private void Heard() => Step(new Input.Heard([
        Report(B, 1) with { NodeName = "b", Health = ServerHealth.Running, InRecovery = true, System = OneSystem, Timeline = First },
        Report(W, 1) with { NodeName = "w", IsWitness = true }]));

    /// <summary>The order to the server is carried out and seen.</summary>
    private void Obey(Synchrony wanted)
    {
        Step(new Input.Observed(Seen(Synchrony.None)), 10);
        Assert.Equal(wanted, _effects.OfType<Effect.Synchronize>().Last().Wanted);
        Step(new Input.Observed(Seen(wanted)), 1);
    }

    private void Look(ServerObservation server, int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            Step(new Input.Observed(server), 1000);
        }
    }

    private void Pass(int seconds)
    {
        for (var i = 0; i < seconds * 10; i++)
        {
            Step(new Input.Observed(Seen(Synchrony.None)), 100);
        }
    }

    /// <summary>One step; every gate opens, the server takes its orders, and every voter but the own says yes at once.</summary>
    private void Step(Input input, double later = 0, bool areAnswered = true)
    {
        _at += later;
        var inputs = new Queue<Input>([input is Input.Observed seen ? new Input.Observed(seen.Server with { At = At(_at) }) : input, new Input.Tick()]);
        while (inputs.TryDequeue(out var next))
        {
            var step = NodeMachine.Step(_state, _node, next, At(_at));
            _state = step.State;
            _effects = _effects.AddRange(step.Effects);
            foreach (var effect in step.Effects)
            {
                Answer(effect, areAnswered, inputs);
            }
        }
    }

    private static void Answer(Effect effect, bool areAnswered, Queue<Input> inputs)
    {
        switch (effect)
        {
            case Effect.Ask { Request: LeaseRequest.Prepare or LeaseRequest.Accept } ask when areAnswered && ask.To != A:
                inputs.Enqueue(new Input.VoteAnswered(ask.Request is LeaseRequest.Prepare
                    ? new LeaseReply.Promised(ask.To, ask.Request.Ballot)
                    : new LeaseReply.Accepted(ask.To, ask.Request.Ballot)));
                break;
            case Effect.OpenGate open:
                inputs.Enqueue(new Input.GateApplied(open.Sequence, open.To, true, "done"));
                break;
            case Effect.VerifyGate verify:
                inputs.Enqueue(new Input.GateApplied(verify.Sequence, verify.Expected, true, "done"));
                break;
            case Effect.Synchronize order:
                inputs.Enqueue(new Input.OrderDone(order.Sequence, true, default, "set"));
                break;
            default:
                break;
        }
    }
}
