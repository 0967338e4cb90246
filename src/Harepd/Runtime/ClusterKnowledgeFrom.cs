using System.Collections.Immutable;
using System.Net;
using Harepd.Core;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Harepd.Peers;

namespace Harepd.Runtime;

/// <summary>
/// What a node without repmgr's tables can say of the cluster: it answers from the gossip, fresh reports only. Null rather than a half-truth:
/// a peer of the 2021 daemon takes an empty answer for disagreement (UPSTREAM).
/// </summary>
internal static class ClusterKnowledgeFrom
{
    /// <summary>The rows as a Go peer should see them: the holder of the lease is the primary, running standbys follow it.</summary>
    public static ClusterKnowledge? View(ClusterView view, NodeSettings settings, Instant now)
    {
        var rows = ImmutableArray.CreateBuilder<ClusterRow>();
        foreach (var member in view.Reports.Keys)
        {
            if (view.FreshReportOf(member, now, settings.Freshness) is { } report && RowOf(report) is { } row)
            {
                rows.Add(row);
            }
        }

        return rows.Any(row => row.Kind == ClusterRowKind.Primary) ? new ClusterKnowledge(-1, rows.ToImmutable()) : null;
    }

    private static ClusterRow? RowOf(NodeReport report) => report switch
    {
        { IsWitness: true } => new ClusterRow(ClusterRowKind.Witness, HostOf(report.Member)),
        { HeldTerm.Value: > 0 } => new ClusterRow(ClusterRowKind.Primary, report.Address),
        { Health: ServerHealth.Running, InRecovery: true } => new ClusterRow(ClusterRowKind.Standby, report.Address),
        _ => null,
    };

    private static string HostOf(MemberId member) =>
        IPEndPoint.TryParse(member.Address, out var end) ? end.Address.ToString() : member.Address;
}
