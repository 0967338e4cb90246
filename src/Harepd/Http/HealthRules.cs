using Harepd.Core.Model;

namespace Harepd.Http;

/// <summary>
/// Says yes or no to a health path, from one status and one reading of the clock. Pure. The paths are matched as Patroni does,
/// in this order and by what they contain, so that checks written for Patroni mean the same here.
/// </summary>
internal static class HealthRules
{
    /// <summary>The tag that takes a standby out of read traffic.</summary>
    internal const string NoLoadBalance = "noloadbalance";

    /// <summary>True for 200, false for 503.</summary>
    /// <param name="path">Without query; anything unknown is false.</param>
    /// <param name="query">Conditions; tags do not concern the lease's own paths.</param>
    /// <param name="status">Null before the loop's first step: everything is false.</param>
    /// <param name="now">Boot-time clock.</param>
    /// <param name="heartbeatLimit">A status older than this says nothing any more: everything is false.</param>
    internal static bool IsOk(string path, HealthQuery query, NodeStatus? status, Instant now, TimeSpan heartbeatLimit)
    {
        if (status is null || !IsAlive(status, now, heartbeatLimit))
        {
            return false;
        }

        var conditions = new Conditions(query, status, now);
        return path switch
        {
            _ when Has("standby_leader") || Has("standby-leader") => false,
            _ when Has("leader") => status.HoldsLease(now),
            "/" => conditions.IsPrimary,
            _ when Has("master") || Has("primary") || Has("read-write") => conditions.IsPrimary,
            _ when Has("replica") => conditions.IsReplica && conditions.HasTags,
            _ when Has("read-only") && !Has("sync") && !Has("quorum") => (conditions.IsPrimary || conditions.IsReplica) && conditions.HasTags,
            _ when Has("health") => status.IsServerRunning && conditions.HasTags,
            "/sync" or "/synchronous" => conditions.IsReplica && status.IsSynchronous && conditions.HasTags,
            "/async" or "/asynchronous" => conditions.IsReplica && !status.IsSynchronous && conditions.HasTags,
            "/quorum" => conditions.IsReplica && status.IsQuorum && conditions.HasTags,
            "/read-only-sync" => (conditions.IsPrimary || (conditions.IsReplica && status.IsSynchronous)) && conditions.HasTags,
            "/read-only-quorum" => (conditions.IsPrimary || (conditions.IsReplica && status.IsQuorum)) && conditions.HasTags,
            _ => false,
        };

        bool Has(string part) => path.Contains(part, StringComparison.Ordinal);
    }

    /// <summary><c>/liveness</c>: the deciding loop turned lately.</summary>
    internal static bool IsAlive(NodeStatus status, Instant now, TimeSpan heartbeatLimit) => now - status.At <= heartbeatLimit;

    /// <summary><c>/readiness</c>: holds the lease with a running server, or a running standby that streams within the lag.</summary>
    internal static bool IsReady(HealthQuery query, NodeStatus? status, Instant now, TimeSpan heartbeatLimit)
    {
        if (status is null || !IsAlive(status, now, heartbeatLimit) || !status.IsServerRunning)
        {
            return false;
        }

        var conditions = new Conditions(query, status, now);
        return status.Server!.InRecovery == true
            ? status.Server.IsStreaming && conditions.IsWithinLag
            : status.HoldsLease(now);
    }

    private readonly struct Conditions(HealthQuery query, NodeStatus status, Instant now)
    {
        public bool IsPrimary => status.HoldsLease(now) && status.Gate == Gate.ReadWrite;

        public bool IsReplica =>
            status is { IsServerRunning: true, IsReadable: true, Server.InRecovery: true } && status.Gate >= Gate.ReadOnly
            && !IsSet(NoLoadBalance) && !status.IsMaintained
            && IsWithinLag
            && (query.ReplicationState is null || query.ReplicationState == StatusWords.ReplicationState(status.Server!.IsStreaming));

        public bool HasTags
        {
            get
            {
                foreach (var (key, value) in query.Tags)
                {
                    if (!status.Tags.TryGetValue(key, out var carried) || !carried.Equals(value, StringComparison.OrdinalIgnoreCase))
                    {
                        return false;
                    }
                }

                return true;
            }
        }

        public bool IsWithinLag
        {
            get
            {
                if (query.LagBytes is not { } limit || status.Server is not { } server)
                {
                    return true;
                }

                var reached = query.IsByReplay || server.ReplayLsn > server.WriteLsn ? server.ReplayLsn : server.WriteLsn;
                return status.HolderLsn <= reached || status.HolderLsn.Value - reached.Value <= (ulong)limit;
            }
        }

        private bool IsSet(string tag) => status.Tags.TryGetValue(tag, out var value) && value.Equals("true", StringComparison.OrdinalIgnoreCase);
    }
}
