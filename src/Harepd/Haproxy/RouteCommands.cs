using System.Collections.Immutable;

namespace Harepd.Haproxy;

/// <summary>The words of HAProxy's runtime API that routing uses; the same in 2.4 to 3.x. Pure.</summary>
internal static class RouteCommands
{
    /// <summary>Takes new clients away and ends the sessions that are there.</summary>
    internal static string[] Cut(string backend, string server) =>
        [$"set server {backend}/{server} state maint", EndSessions(backend, server)];

    internal static string EndSessions(string backend, string server) => $"shutdown sessions server {backend}/{server}";

    internal static string Open(string backend, string server) => $"set server {backend}/{server} state ready";

    internal static string Close(string backend, string server) => $"set server {backend}/{server} state maint";

    /// <summary>This node's server out of both backends, whatever the state was: sent blindly, for it may never wait for a reading.</summary>
    internal static ImmutableArray<string> CutOwn(HaproxyTarget target) =>
    [
        .. Cut(target.WriteBackend, target.ServerName),
        .. target.SteersReads ? Cut(target.ReadBackend!, target.ServerName) : [],
    ];

    /// <summary>What is missing for a server to be cut and empty, judged from a reading; empty when nothing is.</summary>
    internal static string[] Remaining(ServerRow row) =>
        !row.IsCut ? Cut(row.Backend, row.Name)
        : row.Sessions > 0 ? [EndSessions(row.Backend, row.Name)]
        : [];

    /// <summary>What is missing for every rival to be cut; empty when nothing is. The parking server is no rival.</summary>
    internal static ImmutableArray<string> CutRivals(HaproxyTarget target, ImmutableArray<ServerRow> write) =>
        [.. write.Where(row => IsRival(target, row)).SelectMany(Remaining)];

    /// <summary>
    /// What makes this node's server take clients at once. <c>ready</c> after maint routes before any check ran; a server that
    /// was never in maint but is held down by a check or an agent needs their verdict overridden, which lasts until they run again.
    /// </summary>
    internal static ImmutableArray<string> OpenOwn(HaproxyTarget target, ServerRow own)
    {
        var server = $"{target.WriteBackend}/{own.Name}";
        var isHeldDown = own.IsOpen && own.Operational == OperationalState.Stopped;
        return
        [
            Open(target.WriteBackend, own.Name),
            .. own.HasAgent ? [$"set server {server} agent up"] : ReadOnlySpan<string>.Empty,
            .. isHeldDown && own.HasCheck ? [$"set server {server} health up"] : ReadOnlySpan<string>.Empty,
        ];
    }

    /// <summary>New clients wait behind the keeper from here on: the hold takes them before this node's server stops taking any, so that none falls between.</summary>
    internal static string[] Hold(HaproxyTarget target) =>
        [$"set weight {target.WriteBackend}/{HaproxyTarget.HoldServer} 1", Close(target.WriteBackend, target.ServerName)];

    /// <summary>Nobody new waits any more; empty when nobody does or there is no hold.</summary>
    internal static string[] ReleaseHold(HaproxyTarget target, ImmutableArray<ServerRow> write) =>
        HaproxyView.Find(write, HaproxyTarget.HoldServer) is { Weight: > 0 } ? [$"set weight {target.WriteBackend}/{HaproxyTarget.HoldServer} 0"] : [];

    internal static bool IsRival(HaproxyTarget target, ServerRow row) =>
        !string.Equals(row.Name, target.ServerName, StringComparison.Ordinal)
        && !string.Equals(row.Name, HaproxyTarget.HoldServer, StringComparison.Ordinal);
}
