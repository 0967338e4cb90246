using System.Collections.Immutable;
using Harepd.Core.Act;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>A decision with the moment people read it by.</summary>
internal sealed record DatedDecision(DateTime AtUtc, Decision Decision);

/// <summary>Writes decisions to the log, one event each with a stable id, and keeps the last ones for status and history.</summary>
internal sealed class DecisionLog(ILogger log)
{
    private const int Kept = 256;
    private ImmutableQueue<DatedDecision> _recent = [];
    private int _count;

    /// <summary>The last decisions, oldest first.</summary>
    public IReadOnlyList<DatedDecision> Recent => [.. Volatile.Read(ref _recent)];

    /// <summary>Takes one decision; called by the loop alone, never waits for a disk (the log queues).</summary>
    public void Record(Decision decision)
    {
        var recent = _recent.Enqueue(new DatedDecision(DateTime.UtcNow, decision));
        if (++_count > Kept)
        {
            recent = recent.Dequeue();
            _count--;
        }

        Volatile.Write(ref _recent, recent);
        var level = decision.Kind switch
        {
            DecisionKind.RogueSeen or DecisionKind.TwoPrimariesSeen or DecisionKind.WatchdogFired => LogLevel.Error,
            DecisionKind.GateFailed or DecisionKind.LeaseYielded or DecisionKind.MembershipRefused or DecisionKind.ElectionRefused
                or DecisionKind.FailoverBegins or DecisionKind.FailoverAdvised or DecisionKind.PromotionFailed => LogLevel.Warning,
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
