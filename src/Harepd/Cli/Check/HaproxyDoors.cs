using Harepd.Config;
using Harepd.Haproxy;

namespace Harepd.Cli.Check;

/// <summary>Reads the state of every configured HAProxy, as the daemon would, and looks for this node's servers in it.</summary>
internal static class HaproxyDoors
{
    public static IEnumerable<Task<DoorAnswer>> Try(HaproxyConfig config)
    {
        var target = new HaproxyTarget(config.WriteBackend, config.ReadBackend, config.ServerName);

        // The room's reading waits on the calling thread, for at most the command timeout.
        return config.Endpoints.Select(endpoint => Task.Run(() => Read(endpoint, target, config.Timeout)));
    }

    private static DoorAnswer Read(HaproxyEndpoint endpoint, HaproxyTarget target, TimeSpan timeout)
    {
        var door = $"HAProxy {endpoint.Name}";
        using var opened = new HaproxyDoor(endpoint, target, timeout);
        var reading = opened.ReadState();
        if (reading.View is not { } view)
        {
            return DoorAnswer.Shut(door, reading.Reason);
        }

        var write = HaproxyView.Find(view.Write, target.ServerName);
        var read = HaproxyView.Find(view.Read, target.ServerName);
        if (write is null || (target.SteersReads && read is null))
        {
            var backend = write is null ? target.WriteBackend : target.ReadBackend;
            return DoorAnswer.Shut(door, $"HAProxy {view.Version} answers, but backend {backend} has no server {target.ServerName}");
        }

        var states = read is null ? write.ToString() : $"{write}, {read}";
        var sockets = endpoint.Master is null ? "" : " with its master socket";
        if (endpoint.Hold is null)
        {
            return DoorAnswer.Noted(door, $"HAProxy {view.Version}{sockets}: {states}; without a hold: planned moves cut clients (see harepd haproxy-config)");
        }

        return opened.TryHold() is { Length: > 0 } reason
            ? DoorAnswer.Shut(door, $"HAProxy {view.Version} answers, but its hold does not work: {reason}; see harepd haproxy-config")
            : DoorAnswer.Open(door, $"HAProxy {view.Version}{sockets} and hold: {states}");
    }
}
