using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Hba;

/// <summary>
/// Remembers which state of the file the running server is known to have loaded, so that an order that changes nothing costs nothing. A server that began
/// after this process had seen the file in its present state has loaded that state: it does not start with a file it cannot load. Thread-safe.
/// </summary>
internal sealed class HbaLoaded
{
    private readonly Lock _gate = new();
    private FileFacts? _seen;
    private Instant _seenAt;
    private FileFacts? _loaded;
    private (int Pid, long StartTicks) _by;

    /// <summary>The file is seen in this state now.</summary>
    public void Saw(FileFacts facts)
    {
        lock (_gate)
        {
            if (_seen != facts)
            {
                _seen = facts;
                _seenAt = BootClock.Now;
            }
        }
    }

    /// <summary>This server has loaded the file in this state.</summary>
    public void Confirm(FileFacts facts, Postmaster server)
    {
        lock (_gate)
        {
            _loaded = facts;
            _by = (server.Pid, server.StartTicks);
        }
    }

    /// <summary>True when this server is known to have loaded the file in this state.</summary>
    public bool IsLoaded(FileFacts facts, Postmaster server)
    {
        lock (_gate)
        {
            // The kernel's start time is cut to the hundredth of a second, so it is never later than the truth.
            return (_loaded == facts && _by == (server.Pid, server.StartTicks))
                || (_seen == facts && server.StartedAt > _seenAt);
        }
    }
}
