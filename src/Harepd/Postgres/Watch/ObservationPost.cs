using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Postgres.Wire;
using Microsoft.Extensions.Logging;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Hands observations on: every reading that tells something, and of a server that tells nothing one a calm interval unless it is news. Logs
/// changes alone. For one thread.
/// </summary>
internal sealed class ObservationPost(PostgresSettings settings, Action<ServerObservation> observed, ILogger log)
{
    // The machine passes over a reading that was begun before it heard of a death, so the news after one is told more than once.
    private static readonly TimeSpan RepeatFor = TimeSpan.FromMilliseconds(100);
    private static readonly EventId Changed = new(400, "ServerSeen");
    private ServerObservation? _last;
    private Instant _repeatUntil;

    /// <summary>True when the last observation was of no postmaster.</summary>
    public bool SaysNone => _last?.Health is ServerHealth.Down or ServerHealth.StoppedCleanly;

    /// <summary>Repeats even old news for a moment from here.</summary>
    public void RepeatFrom(Instant now) => _repeatUntil = now + RepeatFor;

    public void Post(ServerObservation seen, PgFault? fault = null)
    {
        var isNews = _last is not { } before || (before.Health, before.InRecovery, before.Detail) != (seen.Health, seen.InRecovery, seen.Detail);
        if (!isNews && seen.InRecovery is null && seen.At < _last!.At + settings.CalmInterval && seen.At >= _repeatUntil)
        {
            return;
        }

        _last = seen;
        observed(seen);
        if (isNews)
        {
            var level = seen.Health == ServerHealth.Running ? LogLevel.Information : LogLevel.Warning;
            log.Log(level, Changed, "server is {Health}, in recovery: {InRecovery}, timeline {Timeline}. {Detail} {Fault}",
                seen.Health, seen.InRecovery, seen.Timeline, seen.Detail, fault?.ToString() ?? "");
        }
    }
}
