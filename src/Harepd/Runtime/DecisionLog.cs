using Harepd.Core.Act;
using Harepd.History;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>Hands each decision to the log, one event with a stable id, and to the history. Called by the loop; neither waits for a disk.</summary>
internal sealed class DecisionLog(ILogger log, HistoryLane history)
{
    /// <summary>Takes one decision.</summary>
    public void Record(Decision decision)
    {
        history.Take(DateTime.UtcNow, decision);
        var level = decision.Kind switch
        {
            DecisionKind.RogueSeen or DecisionKind.TwoPrimariesSeen or DecisionKind.WatchdogFired => LogLevel.Error,
            DecisionKind.GateFailed or DecisionKind.LeaseYielded or DecisionKind.MembershipRefused or DecisionKind.ElectionRefused
                or DecisionKind.FailoverBegins or DecisionKind.FailoverAdvised or DecisionKind.PromotionFailed
                or DecisionKind.SynchronyAsked or DecisionKind.SynchronyFailed => LogLevel.Warning,
            _ => LogLevel.Information,
        };
        log.Log(
            level,
            new EventId((int)decision.Kind, decision.Kind.ToString()),
            "{Decision}: {From} -> {To} (term {Term}): {Reason}",
            decision.Kind,
            decision.From,
            decision.To,
            decision.Term.Value,
            decision.Reason);
    }
}
