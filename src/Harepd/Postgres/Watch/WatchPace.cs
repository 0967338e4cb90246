namespace Harepd.Postgres.Watch;

/// <summary>How closely the server is watched.</summary>
internal enum WatchPace
{
    /// <summary>All is well: a full reading every calm interval.</summary>
    Calm = 0,

    /// <summary>The lease is free or somebody reports a death: the recovery state of a standby is asked every few milliseconds, and a server that is down is looked for as often.</summary>
    Alarmed,
}
