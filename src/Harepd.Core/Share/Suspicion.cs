using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Share;

/// <summary>
/// Advice drawn from the reports. Suspicion hastens looking and asking; it never opens a gate (DESIGN section 4).
/// </summary>
public static class Suspicion
{
    /// <summary>
    /// True when no fresh report claims the lease with a server that is alive: the time to look at the own server every few milliseconds.
    /// </summary>
    public static bool IsLeaseInDoubt(ClusterView view, Instant now, TimeSpan freshness)
    {
        foreach (var (member, _) in view.Reports)
        {
            if (view.FreshReportOf(member, now, freshness) is { } report && report.HeldTerm > Term.None && !IsDead(report))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The members whose fresh reports say that their server takes writes; more than one is a split brain in the making.</summary>
    public static IReadOnlyList<NodeReport> Writable(ClusterView view, Instant now, TimeSpan freshness) =>
        [.. view.Reports.Keys
            .Select(member => view.FreshReportOf(member, now, freshness))
            .OfType<NodeReport>()
            .Where(report => report is { Health: ServerHealth.Running, InRecovery: false })];

    private static bool IsDead(NodeReport report) =>
        report.Health is ServerHealth.Down or ServerHealth.StoppedCleanly or ServerHealth.Hung;
}
