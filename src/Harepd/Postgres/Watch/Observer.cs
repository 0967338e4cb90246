using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Watch;

/// <summary>
/// Reads the server in the rhythm of the pace and posts what it saw, on a thread of its own. A statement that hangs holds up nothing but this
/// thread, and that for the hang timeout at most.
/// </summary>
internal sealed class Observer : IDisposable
{
    // Each refused login writes a line into the server's log.
    private static readonly TimeSpan RefusedLogin = TimeSpan.FromSeconds(1);
    // A promotion that takes longer is a server far behind; its readers are let in again meanwhile.
    private static readonly TimeSpan PromotionLimit = TimeSpan.FromSeconds(10);
    private readonly PostgresSettings _settings;
    private readonly DataFolder _folder;
    private readonly DeathWatch _death;
    private readonly ServerProbe _probe;
    private readonly ObservationPost _post;
    private readonly LookRhythm _rhythm;
    private readonly WakeEvent _wake = new();
    private readonly WakeEvent _interrupt = new();
    private readonly ServerReader _reader;
    private readonly TimelineHistory _history = new();
    private readonly Thread _thread;
    private volatile bool _isAsked;
    private volatile bool _isDisposed;
    private long _promotingUntil;
    private long _touched;
    private Instant _opened;
    private Instant _nextOpen;
    private Instant _nextFull;
    private bool? _recovers;

    public Observer(PostgresSettings settings, DataFolder folder, DeathWatch death, ServerProbe probe, ObservationPost post, LookRhythm rhythm)
    {
        (_settings, _folder, _death, _probe, _post, _rhythm) = (settings, folder, death, probe, post, rhythm);
        _reader = new ServerReader(settings, folder, _interrupt);
        _thread = new Thread(Run) { Name = "observer", IsBackground = true };
    }

    // Only a standby is watched for a change: a primary becomes a standby by a restart, which ends the session.
    private bool IsPeeking => _recovers == true && (_rhythm.IsFast || IsPromoting);

    // The kernel's word that recovery is touched comes first; where it cannot be had, and once it came, the server itself is asked all the time.
    private TimeSpan PeekPause => IsPromoting || IsTouched || !_death.SeesFolder || _settings.AlarmedInterval > LookRhythm.SoonLook ? _settings.AlarmedInterval : LookRhythm.SoonLook;

    private bool IsTouched => new Instant(Interlocked.Read(ref _touched)) is var at && at > _opened && BootClock.Now - at < LookRhythm.FastFor;

    private bool IsPromoting => _recovers == true && BootClock.Now.Nanos < Interlocked.Read(ref _promotingUntil);

    public void Start() => _thread.Start();

    /// <summary>The rhythm changed.</summary>
    public void Wake() => _wake.Signal();

    /// <summary>A promotion was asked for: readings of the standby say so from now on, until it is none or for ten seconds.</summary>
    public void NotePromotion()
    {
        Interlocked.Exchange(ref _promotingUntil, (BootClock.Now + PromotionLimit).Nanos);
        LookNow();
    }

    /// <summary>A signal file of recovery came or went: the standby may be about to end its recovery.</summary>
    public void NoteRecovery()
    {
        Interlocked.Exchange(ref _touched, BootClock.Now.Nanos);
        _wake.Signal();
    }

    /// <summary>A full reading at once.</summary>
    public void LookNow()
    {
        _isAsked = true;
        _wake.Signal();
    }

    /// <summary>The server is gone: whatever is waited for now will not come.</summary>
    public void Interrupt()
    {
        _isAsked = true;
        _interrupt.Signal();
        _wake.Signal();
    }

    public void Dispose()
    {
        _isDisposed = true;
        Interrupt();
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || _thread.Join(_settings.HangTimeout + TimeSpan.FromSeconds(5)))
        {
            _reader.Dispose();
            _wake.Dispose();
            _interrupt.Dispose();
        }
    }

    private void Run()
    {
        while (!_isDisposed)
        {
            // Drained before the presence is looked at: an interrupt that comes later ends the statement that follows.
            _wake.Drain();
            _interrupt.Drain();
            if (!_isDisposed)
            {
                Look(BootClock.Now);
                Wait();
            }
        }
    }

    private void Wait()
    {
        var pause = !_reader.IsOpen ? _nextOpen - BootClock.Now : IsPeeking ? PeekPause : _nextFull - BootClock.Now;
        Span<PollEntry> entries = [new(_wake.Descriptor, Kernel.PollIn), new(_reader.Descriptor, Kernel.PollIn)];
        _ = Kernel.Poll(entries, (int)Math.Clamp(Math.Ceiling(pause.TotalMilliseconds), 0, 60_000));

        // An idle session becomes readable when it ends or its server has news: either way it is asked.
        if (entries[1].IsReady)
        {
            _isAsked = true;
        }
    }

    private void Look(Instant now)
    {
        if (_death.Presence == Presence.Gone)
        {
            LookAtNone(now);
            return;
        }

        var isAsked = _isAsked;
        _isAsked = false;
        if (_reader.IsOpen)
        {
            if (isAsked || now >= _nextFull || (IsPeeking && HasChanged()))
            {
                Read(isFresh: false);
            }
        }
        else if (isAsked || now >= _nextOpen)
        {
            Open(now);
        }
    }

    private void LookAtNone(Instant now)
    {
        if (!_post.SaysNone)
        {
            _probe.Forget();
            _post.RepeatFrom(now);
        }

        _reader.Drop();
        _recovers = null;
        Interlocked.Exchange(ref _promotingUntil, 0);
        _isAsked = false;
        _nextOpen = now + _rhythm.Search;
        var control = ControlFile.Read(_folder.Known);
        var verdict = Verdict.OfNone(control);
        _post.Post(new ServerObservation { At = now, Health = verdict.Health, Detail = verdict.Detail, SystemId = control?.SystemId ?? default, OnDisk = control?.In(_folder.Known!, _history) });
    }

    private void Open(Instant now)
    {
        _recovers = null;
        if (_death.IsStopping)
        {
            LookLater(_rhythm.Search);
            _post.Post(new ServerObservation { At = now, Health = Verdict.Stopping.Health, Detail = Verdict.Stopping.Detail });
            return;
        }

        if (_reader.Open() is { } fault)
        {
            Fail(fault, now);
            return;
        }

        _opened = now;
        _death.NoteLogin(_reader.ListenerPid);
        _probe.Resume();
        Read(isFresh: true);
    }

    private bool HasChanged()
    {
        var recovers = _reader.Peek(out var fault);
        return fault is not null || recovers != _recovers;
    }

    private void Read(bool isFresh)
    {
        var now = BootClock.Now;
        var reading = _reader.Read(out var fault);
        if (reading is null)
        {
            Lose(fault!, now, isFresh);
            return;
        }

        if (_death.Presence == Presence.Gone)
        {
            // An orphaned backend answered.
            LookAtNone(BootClock.Now);
            return;
        }

        _recovers = reading.InRecovery;
        _nextFull = now + _settings.CalmInterval;
        var verdict = Verdict.OfAnswer(reading.InRecovery, _probe.Finding);
        _post.Post(reading.With(verdict, _reader.Facts!, now) with { WasAskedToPromote = IsPromoting });
        if (verdict.Health == ServerHealth.Starting)
        {
            // A stop that waits for its sessions to leave would wait for this one for ever.
            _reader.Drop();
            _nextOpen = now + _settings.CalmInterval;
        }
    }

    private void Lose(PgFault fault, Instant now, bool isFresh)
    {
        _reader.Drop();

        // That a session ended says little; the next login says why. Once, so that a server that ends every session is not besieged.
        if (fault.EndsSession && fault.Kind != PgFaultKind.TimedOut && !isFresh)
        {
            LookNow();
            return;
        }

        Fail(fault, now);
    }

    private void Fail(PgFault fault, Instant begun)
    {
        if (_death.Presence == Presence.Gone || fault.Kind == PgFaultKind.Interrupted)
        {
            LookNow();
            return;
        }

        var verdict = Verdict.OfFault(fault, _death.Presence == Presence.Alive);
        var isRefused = verdict.Health == ServerHealth.Unknown && fault.Kind is PgFaultKind.Server or PgFaultKind.Protocol;
        var pause = isRefused && _rhythm.Search < RefusedLogin ? RefusedLogin : _rhythm.Search;
        LookLater(pause);
        _post.Post(new ServerObservation { At = begun, Health = verdict.Health, Detail = verdict.Detail }, fault);
    }

    private void LookLater(TimeSpan pause)
    {
        _nextOpen = BootClock.Now + pause;
        _nextFull = _nextOpen;
    }
}
