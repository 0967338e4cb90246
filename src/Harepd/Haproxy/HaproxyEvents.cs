using Microsoft.Extensions.Logging;

namespace Harepd.Haproxy;

/// <summary>Stable event ids of this room's log lines.</summary>
internal static class HaproxyEvents
{
    internal static readonly EventId Applied = new(4001, "HaproxyApplied");
    internal static readonly EventId Refused = new(4002, "HaproxyRefused");
    internal static readonly EventId Bug = new(4009, "HaproxyBug");
}
