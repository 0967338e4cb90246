using System.Globalization;
using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Hooks;

/// <summary>Which hooks a decision calls, and what they are told. Keeps the node's role; called by the loop alone, and does nothing that could wait.</summary>
/// <param name="cluster">Its name.</param>
/// <param name="node">This node's name.</param>
/// <param name="primary">The node that is known to serve writers, and its address; empty when none is.</param>
internal sealed class HookEvents(string cluster, string node, Func<(string Name, string Address)> primary)
{
    public const string BeforeSwitchover = "beforeSwitchover";
    private const string Nothing = "none";
    private string _role = "";

    /// <summary>A promotion that follows is a failover, by itself or by hand, and no part of a planned move.</summary>
    private bool _isFailingOver;

    /// <summary>The calls that follow from a decision, in the order in which they are to be made.</summary>
    public IReadOnlyList<HookCall> Of(Decision decision)
    {
        var calls = new List<HookCall>(2);
        switch (decision.Kind)
        {
            case DecisionKind.GateConfirmed when decision.From != decision.To:
                calls.Add(Call("gate", decision.To switch { "ReadWrite" => "gate-opened", "ReadOnly" => "gate-read-only", _ => "gate-shut" }, decision));
                break;
            case DecisionKind.FailoverBegins:
                calls.Add(Call("beforeFailover", "failover-begins", decision));
                _isFailingOver = true;
                break;
            case DecisionKind.FailoverWaits:
                // Another's turn, or that of a planned move.
                _isFailingOver = false;
                break;
            case DecisionKind.PromotionDone or DecisionKind.PromotionFailed when _isFailingOver:
                calls.Add(Call("afterFailover", decision.Kind == DecisionKind.PromotionDone ? "failover-done" : "failover-failed", decision));
                _isFailingOver = false;
                break;
            case DecisionKind.MoveEnded:
                calls.Add(Call("afterSwitchover", OutcomeOf(decision), decision));
                break;
            default:
                break;
        }

        var role = RoleAfter(decision);
        if (role != _role)
        {
            calls.Add(Call("roleChange", $"role-{role}", decision, ("HAREPD_ROLE", role), ("HAREPD_OLD_ROLE", _role)));
            _role = role;
        }

        return calls;
    }

    /// <summary>The call before a planned move.</summary>
    public HookCall Before(Effect.ConsultHook consult) =>
        Call(BeforeSwitchover, "switchover-asked", new Decision(DecisionKind.MoveBegins, consult.Term, node, consult.To, "a planned move was ordered") { Actor = DecisionActor.Operator });

    /// <summary>Primary is who serves writers, under a lease; a writable server that does not is nothing, as one that is down.</summary>
    private string RoleAfter(Decision decision) => decision.Kind switch
    {
        DecisionKind.GateConfirmed when decision.To == "ReadWrite" => "primary",
        DecisionKind.GateConfirmed or DecisionKind.GateFailed when _role == "primary" => Nothing,
        DecisionKind.ServerChanged => decision.To switch
        {
            "standby" => "standby",
            "primary" or "running" or "SlotsFull" or "CannotWrite" when _role == "primary" => "primary",
            _ => Nothing,
        },
        _ => _role,
    };

    private static string OutcomeOf(Decision decision) => decision.To switch
    {
        nameof(MoveOutcome.Moved) => "switchover-done",
        nameof(MoveOutcome.Restarted) => "restart-done",
        nameof(MoveOutcome.TakenBack) => "switchover-taken-back",
        nameof(MoveOutcome.Refused) => "switchover-refused",
        _ => "switchover-failed",
    };

    private HookCall Call(string key, string what, Decision decision, params (string Name, string Value)[] more)
    {
        var (name, address) = primary();
        (string Name, string Value)[] usual =
        [
            ("HAREPD_EVENT", what), ("HAREPD_CLUSTER", cluster), ("HAREPD_NODE", node), ("HAREPD_TERM", decision.Term.Value.ToString(CultureInfo.InvariantCulture)),
            ("HAREPD_PRIMARY", name), ("HAREPD_PRIMARY_ADDRESS", address), ("HAREPD_FROM", decision.From), ("HAREPD_TO", decision.To), ("HAREPD_REASON", decision.Reason),
            ("HAREPD_ACTOR", decision.Actor == DecisionActor.Operator ? "operator" : "daemon"),
            ("HAREPD_TIMELINE", decision.Timeline.Timeline == 0 ? "" : decision.Timeline.Timeline.ToString(CultureInfo.InvariantCulture)),
            ("HAREPD_LSN", decision.Lsn == default ? "" : decision.Lsn.ToString()),
            ("HAREPD_TOOK_MS", decision.Took is { } took ? took.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture) : ""),
        ];
        return new HookCall(key, what, [.. usual.Concat(more).Select(pair => KeyValuePair.Create(pair.Name, Printable(pair.Value)))]);
    }

    private static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;
}
