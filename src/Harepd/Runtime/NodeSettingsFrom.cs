using Harepd.Config;
using Harepd.Core;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>From the configuration to what the pure core needs of it.</summary>
internal static class NodeSettingsFrom
{
    /// <summary>
    /// The machine's settings for one process of this node. A member is a witness when it runs server-only and has no PostgreSQL configured.
    /// </summary>
    public static NodeSettings Config(HarepdConfig config, DaemonMode mode) => new()
    {
        Self = config.Self,
        Membership = new Membership(config.Cluster, config.Membership.Epoch, config.Members, config.PreviousMembers),
        Lease = LeaseOf(config),
        HasVoter = mode != DaemonMode.ClientOnly,
        HasCandidate = mode != DaemonMode.ServerOnly,
        IsWitness = mode == DaemonMode.ServerOnly && config.HbaConfig is null,
        NodeName = config.NodeName,
        Address = config.PrimaryIp?.ToString() ?? "",
        AllowReads = config.AllowRo,
        MaxLagBytes = config.Reads.MaxLagBytes,
        MaxLagTime = config.Reads.MaxLagTime,
    };

    private static LeaseSettings LeaseOf(HarepdConfig config) => new()
    {
        Duration = config.Lease.Duration,
        RenewInterval = config.Lease.RenewInterval,
        FenceBudget = config.Lease.FenceBudget,
        MaxDuration = config.Lease.MaxDuration,
        DriftPpm = config.Lease.DriftPpm,
    };
}
