using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Fencing;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Watch;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Control;

/// <summary>
/// Stops and starts the server of a planned move, and makes it ready for that. Synchronous, every call with a deadline, for one thread at a time. Nothing here
/// opens a gate: a server that comes up comes up behind the block that its file has.
/// </summary>
internal sealed class ServerProcess(PostgresSettings settings)
{
    /// <summary>What a server that does not stop by itself gets until all of its processes are killed.</summary>
    private static readonly TimeSpan StopAtOnce = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan SlotTime = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly DataFolder _folder = new(settings);
    private readonly ServerLaunch _launch = new(settings);

    /// <summary>The postmaster that was found last: its pid file goes before it does.</summary>
    private ProcessFacts? _last;

    /// <summary>The data folder; null while it is unknown.</summary>
    public string? DataDirectory => _folder.Known;

    /// <summary>Looks for the running server, so that its folder and its programs are known.</summary>
    public void Find(Instant until)
    {
        using var run = _folder.FindPostmaster(until).Found;
        if (run is not null)
        {
            Remember(run);
        }
    }

    /// <summary>The slot that this server streams from as a standby, as <see cref="Prepare"/> found it; empty for none.</summary>
    public string SlotName { get; private set; } = "";

    /// <summary>One of PostgreSQL's programs; null where it is not found.</summary>
    public string? ProgramOf(string name) =>
        _launch.ProgramOf(name, _folder.Known);

    /// <summary>
    /// Sets <c>primary_conninfo</c> for the time after the move (a primary does not read it), and makes a checkpoint, so that the one of the stop is short.
    /// </summary>
    /// <param name="host">Whom to follow afterwards; empty where the server will be a primary again.</param>
    /// <param name="port">Of its PostgreSQL.</param>
    /// <param name="until">Boot-time clock.</param>
    /// <param name="mayBeStandby">False: a standby is refused, for it has moved already.</param>
    public ControlResult Prepare(string host, int port, Instant until, bool mayBeStandby = false)
    {
        var limit = BootClock.Now + settings.HangTimeout;
        using var session = PgSession.TryOpen(settings.Endpoint("control", SessionLimits.Of(settings)), limit, out var fault);
        if (session is null)
        {
            return ControlResult.Refused($"no session: {fault}");
        }

        var reply = session.Query(ControlSql.BeforeMoving, limit);
        if (reply.Rows is not [[{ } inRecovery, { } conninfo, { } slot]] || (inRecovery != "f" && !mayBeStandby))
        {
            return ControlResult.Refused(reply.Fault?.ToString() ?? "the server is no primary");
        }

        // A run that finds the server stopped must know where it is.
        Find(limit);
        _folder.Note();
        SlotName = slot;
        if (host.Length == 0)
        {
            return MakeCheckpoint(session, limit, until);
        }

        if (ConnInfo.WithHost(conninfo.Length > 0 ? conninfo : settings.FirstConnInfo, host, port) is not { } wanted)
        {
            return ControlResult.Refused("primary_conninfo is not written as keyword = value pairs, so the way back as a standby is not known");
        }

        var failure = wanted == conninfo ? null : session.Query(ControlSql.SetConnInfo(wanted), limit).Fault ?? session.Query(ControlSql.Reload, limit).Fault;
        if (failure is not null)
        {
            return ControlResult.Refused($"primary_conninfo cannot be set: {failure}");
        }

        return MakeCheckpoint(session, limit, until);
    }

    private static ControlResult MakeCheckpoint(PgSession session, Instant limit, Instant until)
    {
        var failure = session.Query(ControlSql.Unhurried, limit).Fault ?? session.Query(ControlSql.Checkpoint, until).Fault;
        return failure is null ? ControlResult.Done("checkpoint done") : ControlResult.Refused($"the checkpoint failed: {failure}");
    }

    /// <summary>
    /// A fast shutdown: the last checkpoint is written and sent to every standby that streams. A server that is not gone at <paramref name="until"/> is stopped
    /// at once, which is a crash, and then the order has failed.
    /// </summary>
    /// <param name="until">Boot-time clock.</param>
    /// <param name="mayBeStandby">One that was a standby is stopped as well.</param>
    public StopResult Stop(Instant until, bool mayBeStandby = false)
    {
        var search = _folder.FindPostmaster(Instant.Min(until, BootClock.Now + Look));
        using var run = search.Found;
        if (run is null && !search.IsCertain)
        {
            return StopResult.Refused($"the postmaster was not found: {search.Reason}");
        }

        if (run is not null)
        {
            Remember(run);
            if (mayBeStandby)
            {
                _folder.Note();
            }

            if (!run.Signal(Kernel.SigInt) && run.IsAlive)
            {
                return StopResult.Refused("the postmaster may not be signalled by this user");
            }

            if (!run.WaitEnd(until - BootClock.Now))
            {
                var stop = PostmasterStopper.Stop(_folder, run, BootClock.Now + StopAtOnce);
                return StopResult.Refused($"the server did not stop in time; it was then stopped without its last checkpoint: {stop}");
            }
        }

        if (!WaitForLast(until))
        {
            return StopResult.Refused("the postmaster has removed its pid file and did not end in time");
        }

        // The record of the checkpoint begins there and is the last: whoever received a byte of it has everything before it, every commit included.
        return ControlFile.Read(_folder.Known) is { } control && (control.State == ControlState.ShutDown || (mayBeStandby && control.IsShutDown))
            ? new StopResult(true, new Lsn(control.Checkpoint.Value + 1), $"stopped, the last checkpoint is at {control.Checkpoint}")
            : StopResult.Refused("the server is down, but was not shut down cleanly as a primary");
    }

    /// <summary>
    /// Starts the stopped server, or one that is stopping once it has ended; done as well when it runs. As a standby <c>standby.signal</c> is made first; as a primary there must be none.
    /// </summary>
    /// <param name="isStandby">As a standby of what <see cref="Prepare"/> set.</param>
    /// <param name="until">Boot-time clock.</param>
    /// <param name="isLate">Asked last, just before the start.</param>
    public ControlResult Start(bool isStandby, Instant until, Func<bool> isLate)
    {
        var search = _folder.FindPostmaster(Instant.Min(until, BootClock.Now + Look));
        using var run = search.Found;
        var isLeaving = run is { IsStopping: true };
        if (isLeaving && !run!.WaitEnd(until - BootClock.Now))
        {
            return ControlResult.Refused("the server is stopping and did not end in time");
        }

        if ((run is not null && !isLeaving) || !search.IsCertain || _folder.Known is not { } data)
        {
            return run is not null ? ControlResult.Done("the server runs") : ControlResult.Refused($"whether a postmaster runs cannot be told: {search.Reason}");
        }

        var signal = Path.Combine(data, "standby.signal");
        if (!isStandby && File.Exists(signal))
        {
            return ControlResult.Refused("there is a standby.signal, so the server would not come up as the primary it was");
        }

        if (BootClock.Now >= until || isLate())
        {
            return ControlResult.Refused("the order's time or the lease was over before the server was started");
        }

        if (isStandby)
        {
            File.WriteAllBytes(signal, []);
        }

        return _launch.Run(data, until);
    }

    /// <summary>
    /// Starts the stopped server as a standby of another: its slot is made there first, and the one that the other streamed by from here is dropped afterwards, for on a
    /// standby it would keep WAL for ever. A slot that cannot be made or dropped is told, and keeps nothing from starting.
    /// </summary>
    /// <param name="host">As <see cref="Prepare"/> set it.</param>
    /// <param name="port">Of its PostgreSQL.</param>
    /// <param name="until">Boot-time clock.</param>
    public ControlResult StartAsStandbyOf(string host, int port, Instant until)
    {
        var upstream = new Upstream(settings, host, port);
        var notes = new List<string?> { upstream.EnsureSlot(SlotName, Soon(until)) };
        var started = Start(isStandby: true, until, static () => false);
        if (started.IsDone)
        {
            notes.AddRange(SettleSlots(upstream, Soon(until)));
        }

        var detail = string.Join("; ", notes.Prepend(started.Detail).Where(text => !string.IsNullOrEmpty(text)));
        return started.IsDone ? ControlResult.Done(detail) : ControlResult.Refused(detail);
    }

    private IEnumerable<string?> SettleSlots(Upstream upstream, Instant until)
    {
        using var session = PgSession.TryOpen(settings.Endpoint("control", SessionLimits.Of(settings)), until, out var noSession);
        if (SlotName.Length == 0 && session?.Query(ControlSql.SlotName, until).Value is { Length: > 0 } own)
        {
            // A daemon that was restarted in between did not know it before the server was up.
            SlotName = own;
            yield return upstream.EnsureSlot(own, until);
        }

        var left = upstream.SlotOfItsOwn(until);
        var failure = left.Length == 0 ? null : session is null ? noSession : session.Query(ControlSql.DropIdleSlot(left), until).Fault;
        if (failure is not null)
        {
            yield return $"replication slot {left} may stay here and keep WAL: {failure}";
        }
    }

    private static Instant Soon(Instant until) => Instant.Min(until, BootClock.Now + SlotTime);

    /// <summary>Between its pid file's end and its own it would be taken for one that somebody started.</summary>
    private bool WaitForLast(Instant until)
    {
        while (_last is { } last && ProcessFacts.Of(last.Pid) is { IsGone: false } now && now.IsSameAs(last))
        {
            if (BootClock.Now >= until)
            {
                return false;
            }

            Thread.Sleep(1);
        }

        return true;
    }

    private void Remember(Postmaster run)
    {
        _last = run.Process;
        _folder.Remember(run.Pid);
        _launch.Remember(run);
    }
}
