using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Watch;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Control;

/// <summary>
/// Orders to the running server: promote, and whom to stream from. Synchronous, each statement with a deadline, for one thread at a time.
/// Whether an order worked is seen by the watch, never concluded here.
/// </summary>
/// <param name="settings">Of the server.</param>
/// <param name="runDir">On tmpfs, for the <see cref="PromotionNote"/>.</param>
internal sealed class ServerControl(PostgresSettings settings, string runDir)
{
    private const int FirstReloadableConnInfo = 130_000;

    /// <summary>From the order to the first look for sessions in its way; a promotion that meets none is over by then.</summary>
    private static readonly TimeSpan ConflictPause = TimeSpan.FromMilliseconds(40);

    /// <summary>From the order to the look whether it went unheard; a startup process that heard it is far beyond its waits by then.</summary>
    private static readonly TimeSpan WakePause = TimeSpan.FromMilliseconds(10);

    private readonly DataFolder _folder = new(settings);
    private readonly PromotionNote _note = new(runDir);
    private PgSession? _ready;

    /// <summary>A session for a promotion is at hand.</summary>
    public bool IsReady => _ready is not null;

    /// <summary>
    /// Opens the session for a promotion ahead of need, with what it asks first in its caches: on a busy machine a login takes longer than all else of it. False where none
    /// is to be had; then the promotion opens its own.
    /// </summary>
    public bool GetReady()
    {
        _ready ??= Open(BootClock.Now + settings.HangTimeout, out _);
        return _ready?.Query(ControlSql.BeforePromotion, BootClock.Now + settings.HangTimeout).Fault is null;
    }

    /// <summary>Gives up what <see cref="GetReady"/> opened.</summary>
    public void Rest()
    {
        _ready?.Dispose();
        _ready = null;
    }

    /// <summary>An earlier run of the daemon told the running server to promote itself.</summary>
    public bool WasToldToPromote()
    {
        using var run = _folder.FindPostmaster(BootClock.Now + settings.HangTimeout).Found;
        return run is not null && _note.IsOf(run);
    }

    /// <summary>
    /// Tells the standby to promote itself, by the way that does not wait (<c>pg_promote(false)</c>). Refused unless it is in recovery, and not
    /// beyond the timeline that the order is for.
    /// </summary>
    /// <param name="from">The timeline it is promoted from.</param>
    /// <param name="isLate">Asked last, just before the order.</param>
    public ControlResult Promote(TimelinePoint from, Func<bool> isLate)
    {
        var deadline = BootClock.Now + settings.HangTimeout;
        var (session, reply) = AskBefore(deadline, out var fault);
        if (session is null)
        {
            return ControlResult.Refused($"no session for the promotion: {fault}");
        }

        if (reply.Rows is not [["t", var timeline]])
        {
            return ControlResult.Refused(reply.Fault?.ToString() ?? "the server is no standby any more");
        }

        if (uint.TryParse(timeline, NumberStyles.None, CultureInfo.InvariantCulture, out var received) && received > from.Timeline)
        {
            return ControlResult.Refused($"the standby is on timeline {received} already, and the order is for {from}");
        }

        using var run = _folder.FindPostmaster(deadline).Found;
        if (run is null || !_note.Write(run))
        {
            return ControlResult.Refused("the promotion cannot be noted in the run folder");
        }

        if (isLate())
        {
            _note.Remove();
            return ControlResult.Refused("the promotion came too late and was not begun");
        }

        reply = session.Query(ControlSql.Promote, deadline);
        if (reply.Fault is { EndsSession: true } lost)
        {
            // Whether the server took the order is open, so it counts as given.
            return ControlResult.Done($"the server may have been told to promote itself: {lost}");
        }

        if (reply.Value == "t")
        {
            return ControlResult.Done("the server was told to promote itself");
        }

        _note.Remove();
        return ControlResult.Refused($"the server did not take the promotion: {reply.Fault?.ToString() ?? "pg_promote gave false"}");
    }

    /// <summary>What must be true before a promotion, by the session that is at hand, or by a new one. That session stays at hand for what follows.</summary>
    private (PgSession? Session, PgReply Reply) AskBefore(Instant deadline, out PgFault? fault)
    {
        fault = null;
        if (_ready?.Query(ControlSql.BeforePromotion, deadline) is { Fault: null } reply)
        {
            return (_ready, reply);
        }

        Rest();
        _ready = Open(deadline, out fault);
        return _ready is null ? (null, default) : (_ready, _ready.Query(ControlSql.BeforePromotion, deadline));
    }

    /// <summary>
    /// Until the server has left recovery: wakes a startup process that sleeps over its promotion, and ends the sessions that keep its replay waiting, for a cancelled query
    /// is not enough. On the calling thread; returns at <paramref name="deadline"/> or when <paramref name="isOver"/> at the latest.
    /// </summary>
    /// <returns>How many sessions were ended.</returns>
    public int ClearTheWay(Instant deadline, Func<bool> isOver)
    {
        var ended = 0;
        var session = _ready;
        _ready = null;
        try
        {
            Thread.Sleep(WakePause);
            while (BootClock.Now < deadline && !isOver())
            {
                session ??= Open(BootClock.Now + settings.HangTimeout, out _);
                if (session?.Query(ControlSql.WakeSleeper, BootClock.Now + settings.HangTimeout) is { Rows: [["f", _]] })
                {
                    return ended;
                }

                Thread.Sleep(ConflictPause);
                var reply = session?.Query(ControlSql.EndConflicts, BootClock.Now + settings.HangTimeout);
                if (reply?.Rows is [["f", _]])
                {
                    return ended;
                }

                ended += reply?.Rows is [[_, { } count]] ? int.Parse(count, CultureInfo.InvariantCulture) : 0;
                if (session is { IsBroken: true })
                {
                    session.Dispose();
                    session = null;
                }
            }

            return ended;
        }
        finally
        {
            session?.Dispose();
        }
    }

    /// <summary>Lets the standby stream from another server, by a reload; done as well when it does already.</summary>
    public ControlResult Follow(string host, int port)
    {
        var deadline = BootClock.Now + settings.HangTimeout;
        using var session = Open(deadline, out var fault);
        if (session is null)
        {
            return ControlResult.Refused($"no session: {fault}");
        }

        var reply = session.Query(ControlSql.BeforeFollowing, deadline);
        if (reply.Rows is not [["t", { } version, { } conninfo, { } slot]])
        {
            return ControlResult.Refused(reply.Fault?.ToString() ?? "the server is no standby");
        }

        if (int.Parse(version, CultureInfo.InvariantCulture) < FirstReloadableConnInfo)
        {
            return ControlResult.Refused("PostgreSQL 12 takes another primary_conninfo by a restart only");
        }

        // A primary of before whose restart was not finished never had one.
        var known = conninfo.Length == 0 ? settings.FirstConnInfo : conninfo;
        if (ConnInfo.WithHost(known, host, port) is not { } wanted)
        {
            return ControlResult.Refused("primary_conninfo is not written as keyword = value pairs");
        }

        // Without its slot there it would be refused, and ask again every few seconds.
        var missing = new Upstream(settings, host, port).EnsureSlot(slot, deadline) is { } problem ? $"; {problem}" : "";
        if (wanted == conninfo)
        {
            return ControlResult.Done($"follows {host}:{port} already{missing}");
        }

        // Two messages: ALTER SYSTEM cannot run inside the transaction that several statements in one would be.
        var failure = session.Query(ControlSql.SetConnInfo(wanted), deadline).Fault ?? session.Query(ControlSql.Reload, deadline).Fault;
        return failure is null ? ControlResult.Done($"follows {host}:{port} from now on{missing}") : ControlResult.Refused(failure.ToString());
    }

    /// <summary>Lets the primary wait for these standbys before it acknowledges, by a reload. Neither statement writes WAL, so neither waits itself.</summary>
    /// <param name="wanted">Nobody empties the setting.</param>
    /// <param name="isLate">Asked just before it is set.</param>
    public ControlResult Synchronize(Synchrony wanted, Func<bool> isLate)
    {
        var deadline = BootClock.Now + settings.HangTimeout;
        using var session = Open(deadline, out var fault);
        if (session is null)
        {
            return ControlResult.Refused($"no session: {fault}");
        }

        var reply = session.Query(ControlSql.Recovery, deadline);
        if (reply.Value != "f")
        {
            return ControlResult.Refused(reply.Fault?.ToString() ?? "the server is no primary");
        }

        if (isLate())
        {
            return ControlResult.Refused("synchronous_standby_names was not set: it came too late");
        }

        var text = SynchronyText.Write(wanted);
        var failure = session.Query(ControlSql.SetSynchronous(text), deadline).Fault ?? session.Query(ControlSql.Reload, deadline).Fault;
        return failure is null ? ControlResult.Done($"synchronous_standby_names is set to '{text}'") : ControlResult.Refused($"synchronous_standby_names cannot be set: {failure}");
    }

    private PgSession? Open(Instant deadline, out PgFault? fault) =>
        PgSession.TryOpen(settings.Endpoint("control", SessionLimits.Of(settings)), deadline, out fault);
}
