using System.Collections.Immutable;

namespace Harepd.Config;

/// <summary>What is allowed and yet surprises people.</summary>
internal static class ConfigNotes
{
    /// <summary>One sentence each; empty when there is nothing to say.</summary>
    public static ImmutableArray<string> Of(HarepdConfig config)
    {
        var members = config.Members.Length;
        var budget = LeaseBudget.Of(config.Lease);
        IEnumerable<(bool Applies, string Sentence)> notes =
        [
            (members == 1, "This node is the only member: nobody can take over."),
            (members == 2, "Two members without a witness cannot outvote each other: there will be no automatic failover. Add a witness."),
            (members > 2 && members % 2 == 0, $"{members} members survive no more losses than {members - 1}: add a witness, or take it away."),
            (budget.StallSurvived < config.Lease.RenewInterval, "One lost renewal loses the lease: renew more often, or lengthen lease.duration."),
            (config.Fence.Scope == FenceScope.Checks, "fence.scope is checks: clients that bypass HAProxy may write to a server that lost the lease."),
            (!config.Fence.StopPostmaster, "fence.stopPostmaster is false: a session that cannot be ended in time may go on writing."),
            (!config.Grpc.Tls.Enabled, "gRPC.tls is off: whoever reaches the port can vote. Keep the network closed, or turn TLS and clientAuth on."),
            (config.Failover is { SynchronousOnly: true, Manager: not FailoverManager.Harepd },
                "failover.synchronousOnly means nothing unless failover.manager is harepd."),
            (config.Failover is { SynchronousOnly: true, Manager: FailoverManager.Harepd, Synchronous: SynchronousMode.Off },
                "failover.synchronousOnly: without synchronous_standby_names on the primary (or failover.synchronous: managed) no standby is ever promoted by itself."),
            (config.Failover is { Synchronous: SynchronousMode.Managed, SynchronousOnly: false },
                "failover.synchronous is managed but synchronousOnly is false: a failover may still lose what was acknowledged."),
            (config.Failover is { Synchronous: SynchronousMode.Managed, SynchronousStrict: true },
                "failover.synchronousStrict: while no standby streams, every commit waits."),
            (config.Logs is { FilePath: not null } logs && logs.MaxAge < logs.RotationTime,
                "logs.maxAge is shorter than logs.rotationTime: a rotated file is removed as soon as its last line is that old."),
        ];
        return [.. notes.Where(note => note.Applies).Select(note => note.Sentence)];
    }
}
