using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;
using Microsoft.Extensions.Logging;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Waits for the death of the postmaster on a thread of its own that never runs SQL while it holds a pidfd, so that neither a hanging statement nor a busy
/// pool delays it. Reports each run's end once, at once. While none runs it looks for the next.
/// </summary>
internal sealed class DeathWatch : IDisposable
{
    private readonly PostgresSettings _settings;
    private readonly DataFolder _folder;
    private readonly LookRhythm _rhythm;
    private readonly DeathWatchEvents _tell;
    private readonly ILogger _log;
    private readonly WakeEvent _wake = new();
    private readonly Lock _signGate = new();
    private readonly Thread _thread;
    private IDeathSign? _sign;
    private FolderEvents? _events;
    private RunName? _run;
    private volatile bool _mayLogIn;
    private volatile bool _isDisposed;
    private volatile Presence _presence;
    private volatile bool _seesFolder;
    private string _lastReason = "";

    public DeathWatch(PostgresSettings settings, DataFolder folder, LookRhythm rhythm, DeathWatchEvents tell, ILogger log)
    {
        (_settings, _folder, _rhythm, _tell, _log) = (settings, folder, rhythm, tell, log);
        _thread = new Thread(Run) { Name = "postmaster", IsBackground = true, Priority = ThreadPriority.AboveNormal };
    }

    /// <summary>What the last look or event gave. A death is here after it was reported, not before.</summary>
    public Presence Presence => IsDeadNow ? Presence.Gone : _presence;

    /// <summary>The postmaster was told to stop, by its own word, and lets nobody in any more; false where that cannot be seen.</summary>
    public bool IsStopping
    {
        get
        {
            lock (_signGate)
            {
                return _sign is { IsStopping: true };
            }
        }
    }

    /// <summary>The kernel tells when recovery is touched in the server's folder.</summary>
    public bool SeesFolder => _seesFolder;

    private bool IsDeadNow
    {
        get
        {
            // The sign asks the kernel, so that nobody believes an orphaned backend in the moment between a death and this thread's turn.
            lock (_signGate)
            {
                return _sign is { IsDeadNow: true };
            }
        }
    }

    public void Start() => _thread.Start();

    /// <summary>The rhythm changed.</summary>
    public void Wake() => _wake.Signal();

    /// <summary>A login went well: the moment to look for its postmaster, or to open a session that shows its end.</summary>
    public void NoteLogin(int listenerPid)
    {
        if (_presence != Presence.Alive)
        {
            _folder.Remember(listenerPid);
            _mayLogIn = true;
            _wake.Signal();
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _wake.Signal();
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || _thread.Join(_settings.HangTimeout + TimeSpan.FromSeconds(5)))
        {
            TakeSign(null);
            _events?.Dispose();
            _wake.Dispose();
        }
    }

    private void Run()
    {
        while (!_isDisposed)
        {
            if (_sign is null)
            {
                Find();
            }

            Wait();
        }
    }

    private void Wait()
    {
        Span<PollEntry> entries =
        [
            new(_sign?.Descriptor ?? -1, Kernel.PollIn), new(_wake.Descriptor, Kernel.PollIn), new(_events?.Descriptor ?? -1, Kernel.PollIn),
        ];
        _ = Kernel.Poll(entries, _sign is null ? (int)Math.Ceiling(_rhythm.Search.TotalMilliseconds) : -1);
        if (entries[0].IsReady)
        {
            Examine();
        }

        if (entries[1].IsReady)
        {
            _wake.Drain();
        }

        if (entries[2].IsReady)
        {
            TakeEvents();
        }
    }

    private void Examine()
    {
        switch (_sign!.Judge())
        {
            case SignVerdict.Dead:
                ReportEnd();
                Settle(Presence.Gone, null);
                break;
            case SignVerdict.Lost:
                Settle(Presence.Unsure, null);
                break;
            default:
                break;
        }
    }

    private void ReportEnd()
    {
        var run = _run;
        _run = null;
        _mayLogIn = false;
        _tell.Died($"{run} has ended");
    }

    private void Find()
    {
        var search = _folder.FindPostmaster(BootClock.Now + _settings.HangTimeout);
        NoteReason(search.Found is null ? search.Reason : "");
        if (search.Found is { } postmaster)
        {
            NoteRun(RunName.Of(postmaster));
            IDeathSign? sign = postmaster.Pidfd >= 0 ? new PidfdSign(postmaster) : LogIn(postmaster);
            WatchFolder(postmaster.DataDirectory, again: sign is not null);
            Settle(Presence.Alive, sign);
            if (sign is null)
            {
                postmaster.Dispose();
            }
        }
        else if (search.IsCertain)
        {
            if (_run is not null)
            {
                ReportEnd();
            }

            WatchFolder(_folder.Known ?? "", again: false);
            Settle(Presence.Gone, null);
        }
        else
        {
            var sign = LogIn(null);
            Settle(sign is null ? Presence.Unsure : Presence.Alive, sign);
            if (sign is not null)
            {
                NoteRun(sign.Run);
            }
        }
    }

    // Without a pidfd a session has to do; it is tried only after another login went well, so that a refused one is not repeated here.
    private SessionSign? LogIn(Postmaster? postmaster)
    {
        if (!_mayLogIn)
        {
            return null;
        }

        var sign = SessionSign.TryOpen(_settings, postmaster);
        _mayLogIn = sign is not null;
        return sign;
    }

    private void NoteRun(RunName run)
    {
        if (_run is { } before && run.IsSurelyNot(before))
        {
            ReportEnd();
        }

        _run = run;
    }

    private void Settle(Presence presence, IDeathSign? sign)
    {
        TakeSign(sign);
        var isNews = _presence != presence;
        _presence = presence;
        if (isNews)
        {
            _rhythm.Hurry();
            _log.LogDebug("postmaster: {Presence} {Run}", presence, _run);
            _tell.PresenceChanged();
        }
    }

    private void TakeSign(IDeathSign? sign)
    {
        lock (_signGate)
        {
            _sign?.Dispose();
            _sign = sign;
        }
    }

    private void WatchFolder(string folder, bool again)
    {
        if (!again && _events?.Folder == folder)
        {
            return;
        }

        // A new run may stand in a new folder of the same name.
        _events?.Dispose();
        _events = folder.Length == 0 ? null : FolderEvents.Watch(folder);
        _seesFolder = _events is not null;
    }

    private void TakeEvents()
    {
        var change = _events!.Drain();
        if (change.HasFlag(FolderChange.FolderGone))
        {
            _seesFolder = false;
            _events.Dispose();
            _events = null;
        }

        if (change.HasFlag(FolderChange.Postmaster))
        {
            _rhythm.Hurry();
        }

        if (change.HasFlag(FolderChange.Recovery))
        {
            _rhythm.Hurry();
            _tell.RecoveryTouched(change.HasFlag(FolderChange.Promotion));
        }
    }

    private void NoteReason(string reason)
    {
        if (reason != _lastReason)
        {
            _lastReason = reason;
            if (reason.Length > 0)
            {
                _log.LogDebug("no postmaster found: {Reason}", reason);
            }
        }
    }
}
