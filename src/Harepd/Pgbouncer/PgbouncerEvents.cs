using Microsoft.Extensions.Logging;

namespace Harepd.Pgbouncer;

/// <summary>Stable event ids of this room's log lines.</summary>
internal static class PgbouncerEvents
{
    internal static readonly EventId Applied = new(4101, "PgbouncerApplied");
    internal static readonly EventId Refused = new(4102, "PgbouncerRefused");
    internal static readonly EventId Bug = new(4109, "PgbouncerBug");
}
