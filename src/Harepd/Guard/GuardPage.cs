using System.IO.MemoryMappedFiles;
using Harepd.Core.Model;

namespace Harepd.Guard;

/// <summary>What the daemon tells the guard: until when the write gate may be open.</summary>
/// <param name="Term">The lease's term; none when disarmed.</param>
/// <param name="FenceAt">When the holder gives up; <see cref="Instant.Zero"/> is disarmed.</param>
/// <param name="Deadline">When the lease ends.</param>
internal readonly record struct GuardOrder(Term Term, Instant FenceAt, Instant Deadline)
{
    public bool IsArmed => FenceAt != Instant.Zero;
}

/// <summary>
/// One page of shared memory in the run folder, written by the daemon and read by the guard (R12), with the guard's heartbeat on the way back.
/// A sequence number that is odd while the daemon writes keeps a reader from half an order; a daemon frozen in the middle of a write leaves
/// the previous order in force, which the guard keeps itself. Never blocks, allocates nothing.
/// </summary>
internal sealed unsafe class GuardPage : IDisposable
{
    private const long Magic = 0x3130_4452_4155_4748; // "HGUARD01"
    private const int Length = 4096;

    /// <summary>A guard that has not looked for so long is none.</summary>
    public static readonly TimeSpan BeatLimit = TimeSpan.FromSeconds(1);

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long* _words;

    private GuardPage(MemoryMappedFile file)
    {
        _file = file;
        _view = file.CreateViewAccessor(0, Length);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _words = (long*)start;
    }

    private enum Word
    {
        Magic,
        Sequence,
        Term,
        FenceAt,
        Deadline,
        DaemonPid,
        GuardPid,
        GuardBeat,
        FencedTerm,
        IsFinished,
        FencingUntil,
        Boot,
        FencedAt,
    }

    /// <summary>The last moment the guard looked; <see cref="Instant.Zero"/> before the first time.</summary>
    public Instant GuardBeat => new(Volatile.Read(ref At(Word.GuardBeat)));

    /// <summary>The guard's process id; 0 before the first time.</summary>
    public int GuardPid => (int)Volatile.Read(ref At(Word.GuardPid));

    /// <summary>The daemon's process id.</summary>
    public int DaemonPid => (int)Volatile.Read(ref At(Word.DaemonPid));

    /// <summary>The highest term that the guard fenced by itself; none when it never had to.</summary>
    public Term FencedTerm => new(Volatile.Read(ref At(Word.FencedTerm)));

    /// <summary>The <see cref="GuardOrder.FenceAt"/> of the order that the guard fenced last; a later one of the same term is a renewal and arms again.</summary>
    public Instant FencedAt => new(Volatile.Read(ref At(Word.FencedAt)));

    /// <summary>True when the guard has confirmed its fence for the order that stands: the gate is shut, and nobody but the daemon opens it.</summary>
    public bool HasShut => TryRead(out var order) && order.IsArmed && order.Term == FencedTerm && order.FenceAt == FencedAt;

    /// <summary>By when a fence that the guard has begun will be over; <see cref="Instant.Zero"/> while it does none.</summary>
    public Instant FencingUntil => new(Volatile.Read(ref At(Word.FencingUntil)));

    /// <summary>True when the daemon ended cleanly, gate shut: the guard may go.</summary>
    public bool IsFinished => Volatile.Read(ref At(Word.IsFinished)) != 0;

    private ref long At(Word word) => ref _words[(int)word];

    /// <summary>Opens or makes the page. The folder must be on tmpfs for speed, and is in every case private to this node.</summary>
    public static GuardPage Open(string runDir)
    {
        var path = PathIn(runDir);
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length < Length)
        {
            stream.SetLength(Length);
        }

        var page = new GuardPage(MemoryMappedFile.CreateFromFile(stream, null, Length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false));
        Volatile.Write(ref page.At(Word.Magic), Magic);
        return page;
    }

    /// <summary>Where the page is.</summary>
    public static string PathIn(string runDir) => Path.Combine(runDir, "guard.page");

    /// <summary>The daemon begins a run: its process id, and not finished. An order of before the machine's last boot is void: its clock is gone.</summary>
    /// <param name="daemonPid">The daemon's process id.</param>
    /// <param name="boot">A number that differs from boot to boot.</param>
    public void Begin(int daemonPid, long boot)
    {
        if (Volatile.Read(ref At(Word.Boot)) != boot)
        {
            Write(default);
            NoteFence(default);
            NoteFencing(Instant.Zero);
            Volatile.Write(ref At(Word.Boot), boot);
        }

        Volatile.Write(ref At(Word.DaemonPid), daemonPid);
        Volatile.Write(ref At(Word.IsFinished), 0);
        Thread.MemoryBarrier();
    }

    /// <summary>The daemon ended with the gate shut.</summary>
    public void Finish() => Volatile.Write(ref At(Word.IsFinished), 1);

    /// <summary>Writes an order. One writer, the daemon.</summary>
    public void Write(GuardOrder order)
    {
        var sequence = Volatile.Read(ref At(Word.Sequence)) | 1;
        Volatile.Write(ref At(Word.Sequence), sequence);
        Thread.MemoryBarrier();
        Volatile.Write(ref At(Word.Term), order.Term.Value);
        Volatile.Write(ref At(Word.FenceAt), order.FenceAt.Nanos);
        Volatile.Write(ref At(Word.Deadline), order.Deadline.Nanos);
        Thread.MemoryBarrier();
        Volatile.Write(ref At(Word.Sequence), sequence + 1);
    }

    /// <summary>Reads the order; false while the daemon is in the middle of writing one (the caller keeps the one before).</summary>
    public bool TryRead(out GuardOrder order)
    {
        var before = Volatile.Read(ref At(Word.Sequence));
        Thread.MemoryBarrier();
        order = new GuardOrder(
            new Term(Volatile.Read(ref At(Word.Term))),
            new Instant(Volatile.Read(ref At(Word.FenceAt))),
            new Instant(Volatile.Read(ref At(Word.Deadline))));
        Thread.MemoryBarrier();
        return (before & 1) == 0 && Volatile.Read(ref At(Word.Sequence)) == before;
    }

    /// <summary>The guard says that it lives.</summary>
    public void Beat(int guardPid, Instant now)
    {
        Volatile.Write(ref At(Word.GuardPid), guardPid);
        Volatile.Write(ref At(Word.GuardBeat), now.Nanos);
    }

    /// <summary>The guard is about to go: from now on nobody takes its last beat for a guard. A full fence in memory, as in <see cref="Begin"/>.</summary>
    public void NoteLeaving()
    {
        Volatile.Write(ref At(Word.GuardBeat), 0);
        Thread.MemoryBarrier();
    }

    /// <summary>The guard begins a fence, or ends it with <see cref="Instant.Zero"/>. A full fence in memory: what it reads afterwards is not older.</summary>
    public void NoteFencing(Instant until)
    {
        Volatile.Write(ref At(Word.FencingUntil), until.Nanos);
        Thread.MemoryBarrier();
    }

    /// <summary>The guard fenced by itself, and confirmed it.</summary>
    public void NoteFence(GuardOrder order)
    {
        Volatile.Write(ref At(Word.FencedAt), order.FenceAt.Nanos);
        Volatile.Write(ref At(Word.FencedTerm), order.Term.Value);
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
