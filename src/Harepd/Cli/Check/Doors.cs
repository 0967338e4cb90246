using Harepd.Config;

namespace Harepd.Cli.Check;

/// <summary>Tries all doors, those that may be slow beside each other, each with a deadline of its own.</summary>
internal static class Doors
{
    public static async Task<IReadOnlyList<DoorAnswer>> TryAllAsync(HarepdConfig config, DaemonMode mode, CancellationToken stop)
    {
        var isDataNode = mode != DaemonMode.ServerOnly;
        List<Task<DoorAnswer>> slow = [.. PeerDoors.Try(config, mode, stop)];
        Task<IReadOnlyList<DoorAnswer>> server = Task.FromResult<IReadOnlyList<DoorAnswer>>([]);
        if (isDataNode)
        {
            slow.AddRange(HaproxyDoors.Try(config.Haproxy));
            slow.AddRange(PgbouncerDoors.Try(config));
            server = PostgresDoors.TryAsync(config);
            slow.AddRange(config.Repmgr is { } repmgr ? [RepmgrDoors.TryAsync(config, repmgr)] : []);
        }

        List<DoorAnswer> answers = [.. FileDoors.Try(config, isDataNode), ClockDoor.Try(config.Lease.DriftPpm), .. await server.WaitAsync(stop)];
        answers.AddRange(await Task.WhenAll(slow).WaitAsync(stop));
        return answers;
    }
}
