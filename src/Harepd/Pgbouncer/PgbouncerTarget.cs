using System.Collections.Immutable;
using Harepd.Core.Share;

namespace Harepd.Pgbouncer;

/// <summary>What harepd has to say at every PgBouncer of this node.</summary>
internal sealed record PgbouncerTarget
{
    /// <summary>The databases that follow the writer.</summary>
    public required ImmutableArray<PooledDatabase> Databases { get; init; }

    /// <summary>The file that holds their lines, included by PgBouncer's own.</summary>
    public required string IncludeFile { get; init; }

    /// <summary>A user of <c>admin_users</c>.</summary>
    public required string User { get; init; }

    /// <summary>In libpq's .pgpass form, for a console that asks for a password; null for none.</summary>
    public string? PassFile { get; init; }

    /// <summary>This node's server, as the others are told it: what may not have pooled connections while it is not the writer.</summary>
    public required string OwnHost { get; init; }

    public required int OwnPort { get; init; }

    internal bool IsOwn(WriterPlace? place) => place is not null && place.Host == OwnHost && place.Port == OwnPort;

    internal bool Manages(string database) => Databases.Any(known => known.Name == database);
}
