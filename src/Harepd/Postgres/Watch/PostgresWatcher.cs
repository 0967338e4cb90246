using Harepd.Core.Observe;
using Microsoft.Extensions.Logging;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Watches the local PostgreSQL: its death at once, its state in the rhythm of the pace, its hangs and full disks by trial. Three threads of
/// its own, none of the pool, none waiting for another: the postmaster's end, the readings, the trials.
/// </summary>
internal sealed class PostgresWatcher : IAsyncDisposable, IDisposable
{
    private readonly LookRhythm _rhythm;
    private readonly DeathWatch _death;
    private readonly ServerProbe _probe;
    private readonly Observer _observer;

    /// <param name="settings">Of the server.</param>
    /// <param name="observed">Takes each reading, at least one every calm interval while the server answers or is down; called on the watch's threads, must not wait or throw.</param>
    /// <param name="postmasterDied">Told once for each run of the postmaster that ended, cleanly or not, with a sentence; called on the death watch's thread, must not wait or throw.</param>
    /// <param name="log">Changes of the server's state, once each.</param>
    /// <param name="folder">Shared with others that look for the data folder; null makes one.</param>
    public PostgresWatcher(
        PostgresSettings settings, Action<ServerObservation> observed, Action<string> postmasterDied, ILogger log, DataFolder? folder = null)
    {
        folder ??= new DataFolder(settings);
        _rhythm = new LookRhythm(settings);
        _death = new DeathWatch(settings, folder, _rhythm, new DeathWatchEvents(postmasterDied, PresenceChanged, RecoveryTouched), log);
        _probe = new ServerProbe(settings, folder, () => _observer!.LookNow());
        _observer = new Observer(settings, folder, _death, _probe, new ObservationPost(settings, observed, log), _rhythm);
    }

    /// <summary>Begins; once.</summary>
    public void Start()
    {
        _death.Start();
        _probe.Start();
        _observer.Start();
    }

    /// <summary>Sets how closely the server is watched; from any thread, at once.</summary>
    public void SetPace(WatchPace pace)
    {
        _rhythm.Set(pace);
        _death.Wake();
        _observer.Wake();
    }

    /// <summary>A full reading at once, whatever the rhythm; from any thread.</summary>
    public void LookNow() => _observer.LookNow();

    /// <summary>A full reading, a fresh connection and, on a primary, a write at once, whatever the rhythm; from any thread.</summary>
    public void ProbeNow()
    {
        _observer.LookNow();
        _probe.ProbeNow();
    }

    /// <summary>Ends the threads, and waits for them no longer than a hanging statement may take.</summary>
    public void Dispose()
    {
        _death.Dispose();
        _probe.Dispose();
        _observer.Dispose();
    }

    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    private void RecoveryTouched(bool isPromotion)
    {
        if (isPromotion)
        {
            _observer.NotePromotion();
        }
        else
        {
            _observer.NoteRecovery();
        }
    }

    private void PresenceChanged()
    {
        if (_death.Presence == Presence.Gone)
        {
            _probe.Forget();
            _observer.Interrupt();
        }
        else
        {
            _observer.LookNow();
        }
    }
}
