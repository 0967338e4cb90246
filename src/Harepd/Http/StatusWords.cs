using System.Reflection;
using Harepd.Core.Observe;

namespace Harepd.Http;

/// <summary>Patroni's words for what we know. Pure.</summary>
internal static class StatusWords
{
    /// <summary>The version of Patroni's API whose shape is answered; tools expect three plain integers.</summary>
    internal const string ApiShape = "4.1.4";

    /// <summary>This build's own version.</summary>
    internal static readonly string OwnVersion =
        typeof(StatusWords).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    internal static string State(ServerHealth? health) => health switch
    {
        ServerHealth.Running or ServerHealth.SlotsFull or ServerHealth.CannotWrite => "running",
        ServerHealth.Starting => "starting",
        ServerHealth.StoppedCleanly => "stopped",
        ServerHealth.Down => "crashed",
        ServerHealth.Hung => "hung",
        _ => "unknown",
    };

    internal static string Role(bool? inRecovery) => inRecovery == false ? "primary" : "replica";

    internal static string ReplicationState(bool isStreaming) => isStreaming ? "streaming" : "in archive recovery";
}
