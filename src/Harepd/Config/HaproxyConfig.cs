using System.Collections.Immutable;
using System.Net;
using Harepd.Haproxy;

namespace Harepd.Config;

/// <summary>Everything that concerns HAProxy: where its checks come from, and where its runtime API listens.</summary>
internal sealed record HaproxyConfig
{
    /// <summary>Networks (single addresses are /32 or /128) that the checks come from; the rules in pg_hba.conf name these.</summary>
    public required ImmutableArray<IPNetwork> Server { get; init; }

    public required HaproxyUsersConfig Users { get; init; }

    /// <summary>Runtime API of every HAProxy that is steered; empty leaves steering to checks and health answers.</summary>
    public required ImmutableArray<HaproxyEndpoint> Endpoints { get; init; }

    /// <summary>Backend of writing clients.</summary>
    public required string WriteBackend { get; init; }

    /// <summary>Backend of read-only clients; null when there is none.</summary>
    public required string? ReadBackend { get; init; }

    /// <summary>This node's server name in both backends; default: the node's name.</summary>
    public required string ServerName { get; init; }

    /// <summary>Bound of one runtime command, connecting included.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>How often the actual state is read again.</summary>
    public required TimeSpan Reconcile { get; init; }
}

/// <summary>PostgreSQL users of HAProxy's checks.</summary>
/// <param name="ReadOnly">Null when no read-only check is made.</param>
/// <param name="ReadWrite">Null only in server-only mode.</param>
internal sealed record HaproxyUsersConfig(string? ReadOnly, string? ReadWrite);
