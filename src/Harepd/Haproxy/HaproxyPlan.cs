using System.Collections.Immutable;

namespace Harepd.Haproxy;

/// <summary>How HAProxy finds out by itself which server may be used.</summary>
internal enum HaproxyCheck
{
    /// <summary><c>option pgsql-check</c>: the rules in pg_hba.conf answer.</summary>
    Pgsql = 0,

    /// <summary><c>option httpchk</c>: harepd's own health answers, which turn to 503 by themselves.</summary>
    Http = 1,
}

/// <summary>One server as HAProxy must know it.</summary>
/// <param name="Name">What that node's configuration calls <c>haproxy.serverName</c> (default: its node name).</param>
/// <param name="Host">Address or host name of its PostgreSQL, without brackets.</param>
/// <param name="Port">Port of its PostgreSQL.</param>
/// <param name="IsNameGuessed">The name comes from the address because nobody told it.</param>
internal sealed record HaproxyServer(string Name, string Host, int Port, bool IsNameGuessed = false)
{
    /// <summary>Host and port as HAProxy reads them.</summary>
    public string Address => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>A name must be looked up, and a start must not fail when it cannot be.</summary>
    public bool IsHostName => !System.Net.IPAddress.TryParse(Host, out _);
}

/// <summary>Everything that a HAProxy configuration for one cluster is made from.</summary>
internal sealed record HaproxyPlan
{
    public required string Cluster { get; init; }

    public required string WriteBackend { get; init; }

    /// <summary>Null makes no listener for reads.</summary>
    public required string? ReadBackend { get; init; }

    public required ImmutableArray<HaproxyServer> Servers { get; init; }

    /// <summary>User of the write check; null makes a TCP check.</summary>
    public required string? WriteUser { get; init; }

    public required string? ReadUser { get; init; }

    /// <summary>The runtime sockets that harepd commands; empty leaves steering to the checks.</summary>
    public required ImmutableArray<HaproxyEndpoint> Endpoints { get; init; }

    public HaproxyCheck Check { get; init; }

    /// <summary>Port of the health answers on every node; needed for <see cref="HaproxyCheck.Http"/>.</summary>
    public int HttpPort { get; init; }

    /// <summary>The health answers speak HTTPS.</summary>
    public bool IsHttps { get; init; }

    /// <summary>Where writing clients connect, as HAProxy's <c>bind</c> reads it.</summary>
    public string WriteBind { get; init; } = "*:5000";

    public string ReadBind { get; init; } = "*:5001";

    /// <summary>Where HAProxy itself listens behind its hold server.</summary>
    public string HoldSink { get; init; } = "127.0.0.1:5002";

    internal const string HoldSinkName = "harepd_hold";

    /// <summary>Planned moves pause clients at this HAProxy.</summary>
    public bool HasHold => Endpoints.Any(endpoint => endpoint.Hold is not null);

    /// <summary>harepd commands this HAProxy.</summary>
    public bool IsSteered => !Endpoints.IsEmpty;
}
