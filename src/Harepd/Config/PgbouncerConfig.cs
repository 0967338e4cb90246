using System.Collections.Immutable;
using Harepd.Pgbouncer;

namespace Harepd.Config;

/// <summary>The PgBouncers beside this node's daemon.</summary>
internal sealed record PgbouncerConfig
{
    /// <summary>Their admin consoles; empty when there are none.</summary>
    public required ImmutableArray<PgbouncerEndpoint> Endpoints { get; init; }

    /// <summary>A user of <c>admin_users</c>.</summary>
    public required string User { get; init; }

    /// <summary>In libpq's .pgpass form; null takes that of PostgreSQL.</summary>
    public required string? PassFile { get; init; }

    /// <summary>The databases that follow the writer.</summary>
    public required ImmutableArray<PooledDatabase> Databases { get; init; }

    /// <summary>Absolute path of the file that holds their lines; null only without endpoints.</summary>
    public required string? IncludeFile { get; init; }

    /// <summary>Bound of one command, connecting included.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>How often the actual state is read again.</summary>
    public required TimeSpan Reconcile { get; init; }
}
