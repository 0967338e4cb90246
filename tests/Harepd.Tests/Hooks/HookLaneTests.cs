using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Hooks;
using Harepd.Tests.Files;
using Harepd.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Hooks;

/// <summary>Which hooks are called, in which order, and that a hanging one keeps nobody waiting.</summary>
public sealed class HookLaneTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HookEvents _events = new("shop", "node_1", () => ("node_2", "10.0.0.2"));

    public void Dispose() => _folder.Dispose();

    private static Decision Of(DecisionKind kind, string from, string to, DecisionActor actor = DecisionActor.Daemon) =>
        new(kind, new Term(7), from, to, "because\nof it") { Actor = actor, Timeline = new TimelinePoint(2, new Lsn(1)), Lsn = new Lsn(0x3000148) };

    private string[] Called(Decision decision) => [.. _events.Of(decision).Select(call => $"{call.Key} {call.Event}")];

    [Fact]
    public void A_gate_is_told_when_it_changes_and_the_role_with_it()
    {
        Assert.Equal(["gate gate-shut"], Called(Of(DecisionKind.GateConfirmed, "?", "Fenced")));
        Assert.Equal(["roleChange role-standby"], Called(Of(DecisionKind.ServerChanged, "Unknown", "standby")));
        Assert.Equal(["gate gate-read-only"], Called(Of(DecisionKind.GateConfirmed, "Fenced", "ReadOnly")));
        Assert.Equal([], Called(Of(DecisionKind.GateConfirmed, "ReadOnly", "ReadOnly")));

        // A server that takes writes without a lease is no primary.
        Assert.Equal(["roleChange role-none"], Called(Of(DecisionKind.ServerChanged, "standby", "primary")));
        Assert.Equal(["gate gate-opened", "roleChange role-primary"], Called(Of(DecisionKind.GateConfirmed, "Fenced", "ReadWrite")));
        Assert.Equal([], Called(Of(DecisionKind.ServerChanged, "primary", "SlotsFull")));
        Assert.Equal(["gate gate-shut", "roleChange role-none"], Called(Of(DecisionKind.GateConfirmed, "ReadWrite", "Fenced")));
        Assert.Equal([], Called(Of(DecisionKind.ServerChanged, "primary", "Down")));
    }

    [Fact]
    public void Failovers_and_moves_are_told_by_how_they_ended()
    {
        Assert.Equal(["beforeFailover failover-begins"], Called(Of(DecisionKind.FailoverBegins, "", "")));
        Assert.Equal(["afterFailover failover-done"], Called(Of(DecisionKind.PromotionDone, "", "")));

        // Also one that an operator ordered; but not the promotion of a planned move, which hands over first.
        Assert.Equal(["beforeFailover failover-begins"], Called(Of(DecisionKind.FailoverBegins, "", "")));
        Assert.Equal(["afterFailover failover-failed"], Called(Of(DecisionKind.PromotionFailed, "", "", DecisionActor.Operator)));
        Assert.Equal([], Called(Of(DecisionKind.PromotionDone, "", "", DecisionActor.Operator)));
        Assert.Equal(["beforeFailover failover-begins"], Called(Of(DecisionKind.FailoverBegins, "", "")));
        Assert.Equal([], Called(Of(DecisionKind.FailoverWaits, "", "")));
        Assert.Equal([], Called(Of(DecisionKind.PromotionDone, "", "", DecisionActor.Operator)));
        Assert.Equal(["afterSwitchover switchover-done"], Called(Of(DecisionKind.MoveEnded, "Rejoin", "Moved")));
        Assert.Equal(["afterSwitchover switchover-taken-back"], Called(Of(DecisionKind.MoveEnded, "Reopen", "TakenBack")));
        Assert.Equal(["afterSwitchover switchover-refused"], Called(Of(DecisionKind.MoveEnded, "Consult", "Refused")));
        Assert.Equal(["afterSwitchover switchover-failed"], Called(Of(DecisionKind.MoveEnded, "Stop", "Failed")));
    }

    [Fact]
    public void The_variables_say_what_the_decision_says()
    {
        var told = Assert.Single(_events.Of(Of(DecisionKind.FailoverBegins, "a", "b"))).Environment.ToDictionary();

        Assert.Equal(
            ("failover-begins", "shop", "node_1", "7", "node_2", "10.0.0.2"),
            (told["HAREPD_EVENT"], told["HAREPD_CLUSTER"], told["HAREPD_NODE"], told["HAREPD_TERM"], told["HAREPD_PRIMARY"], told["HAREPD_PRIMARY_ADDRESS"]));
        Assert.Equal(
            ("a", "b", "because of it", "daemon", "2", "0/3000148"),
            (told["HAREPD_FROM"], told["HAREPD_TO"], told["HAREPD_REASON"], told["HAREPD_ACTOR"], told["HAREPD_TIMELINE"], told["HAREPD_LSN"]));
    }

    [Fact]
    public void Calls_are_made_in_order_and_one_too_many_is_dropped_and_answered()
    {
        var answers = new List<string>();
        var gate = _folder.File("go");
        var path = _folder.File("hook");
        var begun = _folder.File("begun");
        File.WriteAllText(path, $"#!/bin/sh\ntouch {begun}\nwhile [ ! -e {gate} ]; do sleep 0.05; done\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var lane = new HookLane("test-hooks", _ => path, () => TimeSpan.FromSeconds(60), NullLogger.Instance);
        for (var i = 0; i < 50; i++)
        {
            var number = i;
            lane.Enqueue(new HookCall("gate", $"event-{number}", []) { Done = result => Say($"{number}: {result.ExitCode}") });
            if (number == 0)
            {
                // Out of the queue, which takes its full number of others from here on.
                Eventually.True(() => File.Exists(begun), "the first hook runs");
            }
        }

        // The first hook still hangs, and everybody has been served: those beyond the bound with a refusal.
        Assert.Equal(50 - 33, Said().Count);
        Assert.All(Said(), answer => Assert.EndsWith(": ", answer, StringComparison.Ordinal));
        File.WriteAllText(gate, "");
        Eventually.True(() => Said().Count == 50, "all are answered");

        var run = Said().Where(answer => answer.EndsWith(": 0", StringComparison.Ordinal)).ToList();
        Assert.Equal(Enumerable.Range(0, run.Count).Select(number => $"{number}: 0"), run);

        void Say(string answer)
        {
            lock (answers)
            {
                answers.Add(answer);
            }
        }

        List<string> Said()
        {
            lock (answers)
            {
                return [.. answers];
            }
        }
    }
}
