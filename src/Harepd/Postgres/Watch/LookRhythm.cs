using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Postgres.Watch;

/// <summary>How long to pause between two looks. Any thread may change it; the thread that looks reads it.</summary>
internal sealed class LookRhythm(PostgresSettings settings)
{
    /// <summary>Between two looks where something may happen and would be told of otherwise too.</summary>
    public static readonly TimeSpan SoonLook = TimeSpan.FromMilliseconds(20);

    /// <summary>How long after something was touched it is looked at closely.</summary>
    public static readonly TimeSpan FastFor = TimeSpan.FromSeconds(2);

    private long _fastUntil;
    private volatile bool _isAlarmed;

    /// <summary>Alarmed, or something was touched moments ago.</summary>
    public bool IsFast => _isAlarmed || BootClock.Now.Nanos < Interlocked.Read(ref _fastUntil);

    /// <summary>Between two looks for a server that is not there or lets nobody in.</summary>
    public TimeSpan Search => IsFast && SoonLook < settings.CalmInterval ? SoonLook : settings.CalmInterval;

    public void Set(WatchPace pace) => _isAlarmed = pace == WatchPace.Alarmed;

    /// <summary>Something is about to change: fast for a while.</summary>
    public void Hurry() => Interlocked.Exchange(ref _fastUntil, (BootClock.Now + FastFor).Nanos);
}
