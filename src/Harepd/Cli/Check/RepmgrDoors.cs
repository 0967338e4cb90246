using Harepd.Config;
using Harepd.Postgres.Wire;
using Harepd.Repmgr;
using Harepd.Runtime;

namespace Harepd.Cli.Check;

/// <summary>Reads repmgr's tables as the daemon does, and looks for this node in them.</summary>
internal static class RepmgrDoors
{
    /// <summary>Waits on a thread of its own, bounded by the hang timeout.</summary>
    public static Task<DoorAnswer> TryAsync(HarepdConfig config, RepmgrConfig repmgr) => Task.Run(() =>
    {
        var door = $"repmgr tables in {repmgr.Db}";
        var settings = PostgresDoor.SettingsOf(config) with { User = repmgr.User, Database = repmgr.Db };
        return new RepmgrTable(settings).Read() switch
        {
            RepmgrView.Known known => Judge(door, config, known),
            RepmgrView.Unknown unknown => DoorAnswer.Shut(door, unknown.Reason),
            _ => throw new InvalidOperationException("repmgr's tables are known or unknown"),
        };
    });

    private static DoorAnswer Judge(string door, HarepdConfig config, RepmgrView.Known known)
    {
        var own = known.Nodes.FirstOrDefault(node => node.Name == config.NodeName);
        if (own is null)
        {
            var names = string.Join(", ", known.Nodes.Select(node => node.Name));
            return DoorAnswer.Shut(door, $"no node is called {config.NodeName}, only: {names}; nodeName must be exactly as in repmgr");
        }

        var primaries = known.Nodes.Count(node => node is { Type: RepmgrNodeType.Primary, IsActive: true });
        var hosts = ConnInfo.HostsOf(own.ConnInfo) ?? [];
        var detail = string.Join(", ", known.Nodes);
        return primaries > 1 ? DoorAnswer.Noted(door, $"{primaries} active primaries: harepd decides by the vote, and repmgr's tables need a clean-up; {detail}")
            : !own.IsActive ? DoorAnswer.Noted(door, $"this node is not active in repmgr; {detail}")
            : !hosts.Contains(config.PrimaryIp?.ToString(), StringComparer.Ordinal)
                ? DoorAnswer.Noted(door, $"its conninfo has host {string.Join(", ", hosts)}, primaryIP is {config.PrimaryIp}; {detail}")
            : DoorAnswer.Open(door, detail);
    }
}
