using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Watch;

/// <summary>
/// The watch's one persistent session: opened, asked, dropped. Every call is bounded by the hang timeout and ended early by the interrupt.
/// For one thread.
/// </summary>
internal sealed class ServerReader(PostgresSettings settings, DataFolder folder, WakeEvent interrupt) : IDisposable
{
    private readonly TimelineHistory _history = new();
    private readonly Dictionary<uint, Lsn> _switches = [];
    private PgSession? _session;
    private uint _receivedTimeline;

    public bool IsOpen => _session is not null;

    /// <summary>For poll; -1 without a session.</summary>
    public int Descriptor => _session?.Descriptor ?? -1;

    /// <summary>Of the open session; null without one.</summary>
    public ServerFacts? Facts { get; private set; }

    /// <summary>The postmaster's pid as the socket has it; zero where unknown.</summary>
    public int ListenerPid => _session?.ListenerPid ?? 0;

    private Instant Deadline => BootClock.Now + settings.HangTimeout;

    /// <summary>Opens a session and reads the facts of the run; the fault when that failed.</summary>
    public PgFault? Open()
    {
        Drop();
        var deadline = Deadline;
        _session = PgSession.TryOpen(settings.Endpoint("watch", SessionLimits.OfReader(settings)), deadline, out var fault, interrupt);
        if (_session is null)
        {
            return fault;
        }

        fault = ReadFacts(deadline);
        if (fault is not null)
        {
            Drop();
        }

        return fault;
    }

    /// <summary>Only whether the server is in recovery; null with a fault.</summary>
    public bool? Peek(out PgFault? fault)
    {
        var reply = _session!.Query(ReadingSql.Recovery, Deadline);
        fault = reply.Fault;
        return reply.Value switch { "t" => true, "f" => false, _ => null };
    }

    /// <summary>Everything; null with a fault.</summary>
    public Reading? Read(out PgFault? fault)
    {
        var reply = _session!.Query(ReadingSql.Full, Deadline);
        fault = reply.Fault;
        if (fault is not null)
        {
            return null;
        }

        var reading = reply.Rows is [var row] ? ReadingSql.ToReading(row) : null;
        if (reading is null)
        {
            fault = new PgFault(PgFaultKind.Protocol, "", "the server's answer about itself makes no sense");
            return null;
        }

        var timeline = TimelineOf(reading);
        return reading with { Timeline = new TimelinePoint(timeline, SwitchOf(timeline)) };
    }

    public void Drop()
    {
        _session?.Dispose();
        _session = null;
        Facts = null;
        _receivedTimeline = 0;
        _switches.Clear();
    }

    public void Dispose() => Drop();

    private PgFault? ReadFacts(Instant deadline)
    {
        var reply = _session!.Query(ReadingSql.Facts, deadline);
        if (reply.Fault is not null)
        {
            return reply.Fault;
        }

        var mayReadSystem = reply.Tables is [_, [{ Length: 7 } row]] && row[3] == "t";
        var system = mayReadSystem && ulong.TryParse(_session.Query(ReadingSql.SystemIdentifier, deadline).Value, out var number)
            ? new SystemId(number)
            : ControlFile.Read(folder.Known)?.SystemId ?? default;
        Facts = reply.Tables is [_, var rows] ? ReadingSql.ToFacts(rows, system) : null;
        return Facts is null
            ? new PgFault(PgFaultKind.Protocol, "", "the server's facts make no sense")
            : _session.Query(ReadingSql.Prepare(Facts.MayReadControl, Facts.HasOwnCommit), deadline).Fault;
    }

    // pg_control learns of a standby's new timeline late, and the receiver's row goes with the receiver; yet what it received during this
    // session it still has, for a running server never goes back to a lower timeline.
    private uint TimelineOf(Reading reading)
    {
        if (!reading.InRecovery)
        {
            return reading.Timeline.Timeline;
        }

        _receivedTimeline = Math.Max(_receivedTimeline, reading.Timeline.Timeline);
        if (!reading.IsStreaming)
        {
            _receivedTimeline = ReceivedTimeline.Above(_receivedTimeline, reading.WriteLsn, Facts!.SegmentBytes, folder.Known, _history);
        }

        return _receivedTimeline;
    }

    private Lsn SwitchOf(uint timeline)
    {
        if (timeline <= 1)
        {
            return default;
        }

        var fromFile = _history.SwitchOf(timeline, folder.Known);
        if (fromFile != default || !Facts!.MayReadFiles)
        {
            return fromFile;
        }

        if (!_switches.TryGetValue(timeline, out var known)
            && _session!.Query(ReadingSql.HistoryFile(timeline), Deadline).Value is { } text)
        {
            known = TimelineHistory.Parse(text, timeline);
            if (known != default)
            {
                _switches[timeline] = known;
            }
        }

        return known;
    }
}
