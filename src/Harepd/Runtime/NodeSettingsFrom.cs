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
        RequiresGuard = config.Fence.RequireGuard,
        AllowReads = config.AllowRo,
        MaxLagBytes = config.Reads.MaxLagBytes,
        MaxLagTime = config.Reads.MaxLagTime,
        Failover = FailoverOf(config.Failover),
        ServerPort = config.Postgres?.Port ?? 0,
        ReadsSettle = config.Reads.Settle,
        PrimaryReads = config.Reads.Primary,
        PointsClients = !config.Pgbouncer.Endpoints.IsEmpty,
        MoveHook = MoveHookOf(config),
    };

    /// <summary>What a reload may change while the node runs.</summary>
    public static NodeSettings Reloaded(NodeSettings settings, HarepdConfig config) => settings with
    {
        RequiresGuard = config.Fence.RequireGuard,
        AllowReads = config.AllowRo,
        MaxLagBytes = config.Reads.MaxLagBytes,
        MaxLagTime = config.Reads.MaxLagTime,
        ReadsSettle = config.Reads.Settle,
        PrimaryReads = config.Reads.Primary,
        PointsClients = !config.Pgbouncer.Endpoints.IsEmpty,
        Failover = FailoverOf(config.Failover),
        MoveHook = MoveHookOf(config),
    };

    private static TimeSpan? MoveHookOf(HarepdConfig config) => config.Hooks.BeforeSwitchover is null ? null : config.Hooks.Timeout;

    /// <summary>Who promotes, and when.</summary>
    public static FailoverPolicy FailoverOf(FailoverConfig config) => new()
    {
        Promoter = config.Manager switch
        {
            FailoverManager.Harepd => Promoter.Harepd,
            FailoverManager.None => Promoter.None,
            _ => Promoter.Repmgr,
        },
        IsCandidate = !config.NoFailover,
        Priority = config.Priority,
        MaxLagBytes = config.MaxLagBytes,
        RejoinsItself = config.Rejoin == RejoinAnswer.Auto,
        WaitsForAcceptance = config.OnPossibleLoss == LossAnswer.ReadOnly,
        RestartsFirst = config.OnCrash == CrashAnswer.Restart,
        StartsCrashed = config.StartCrashed,
        StopGrace = config.StopGrace,
        PromoteTimeout = config.PromoteTimeout,
        MinInterval = config.MinInterval,
        MaxInterval = config.MaxInterval,
        SynchronousOnly = config.SynchronousOnly,
        ManagesSynchrony = config.Synchronous == SynchronousMode.Managed,
        SynchronousCount = config.SynchronousCount,
        SynchronousDegradeAfter = config.SynchronousDegradeAfter,
        SynchronousStrict = config.SynchronousStrict,
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
