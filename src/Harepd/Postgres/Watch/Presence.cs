namespace Harepd.Postgres.Watch;

/// <summary>Whether a postmaster runs, as the kernel has it.</summary>
internal enum Presence
{
    /// <summary>It cannot be seen: only a connection can tell.</summary>
    Unsure = 0,

    Alive,

    /// <summary>None runs, for certain.</summary>
    Gone,
}

/// <summary>Whom the death watch tells; all are called on its thread and must not wait.</summary>
/// <param name="Died">A run of the postmaster has ended; once a run.</param>
/// <param name="PresenceChanged"><see cref="DeathWatch.Presence"/> is another.</param>
/// <param name="RecoveryTouched">A signal file of recovery or promotion came or went; true when a promotion was asked for.</param>
internal sealed record DeathWatchEvents(Action<string> Died, Action PresenceChanged, Action<bool> RecoveryTouched);
