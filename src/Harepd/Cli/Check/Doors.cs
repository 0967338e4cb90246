using Harepd.Config;

namespace Harepd.Cli.Check;

/// <summary>Tries all doors, those that may be slow beside each other, each with a deadline of its own.</summary>
internal static class Doors
{
    public static Task<IReadOnlyList<DoorAnswer>> TryAllAsync(HarepdConfig config, DaemonMode mode, CancellationToken stop)
    {
        var isDataNode = mode != DaemonMode.ServerOnly;
        List<DoorAnswer> answers = [.. FileDoors.Try(config, isDataNode), ClockDoor.Try(config.Lease.DriftPpm)];
        stop.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<DoorAnswer>>(answers);
    }
}
