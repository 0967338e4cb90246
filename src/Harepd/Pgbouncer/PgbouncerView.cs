using System.Collections.Immutable;

namespace Harepd.Pgbouncer;

/// <summary>One database as PgBouncer has it.</summary>
internal sealed record PoolRow(string Name, string Host, int Port, bool IsPaused, bool IsDisabled);

/// <summary>One connection of PgBouncer's to a server, whatever it does at the moment.</summary>
internal sealed record PoolLink(string Database, string Host, int Port);

/// <summary>What a PgBouncer says that it is doing.</summary>
internal sealed record PgbouncerView(ImmutableArray<PoolRow> Databases, ImmutableArray<PoolLink> Links)
{
    internal PoolRow? Find(string database) => Databases.FirstOrDefault(row => row.Name == database);
}
