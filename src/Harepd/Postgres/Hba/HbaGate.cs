using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Hba;

/// <summary>
/// Brings pg_hba.conf and the running server to a gate (DESIGN section 5): under the file's lock, whole or not at all, checked by the server
/// before an opening is in force, confirmed afterwards. Synchronous on the caller's thread, every wait bounded; never logs. With no server running only
/// the file is closed, so that one that comes back comes back shut; nothing is opened then.
/// </summary>
/// <param name="settings">The local server.</param>
/// <param name="policy">What the block has to say.</param>
internal sealed class HbaGate(PostgresSettings settings, HbaPolicy policy) : IDisposable
{
    /// <summary>How long an order waits for another writer of the file; a closing then goes on without the lock.</summary>
    private static readonly TimeSpan _lockWait = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _closingLockWait = TimeSpan.FromMilliseconds(30);

    private readonly HbaDisk _disk = new(settings.HbaPath);
    private readonly DataFolder _folder = new(settings);
    private readonly HbaReload _reload = new(settings);
    private readonly HbaLoaded _loaded = new();
    private volatile HbaPolicy _policy = policy;
    private int _closings;

    /// <summary>What the block has to say; may be replaced while running, and takes effect with the next order.</summary>
    public HbaPolicy Policy { get => _policy; set => _policy = value; }

    /// <summary>Opens the session that orders use, so that the first one does not pay for a login and full slots do not shut us out.</summary>
    public bool Warm(Instant deadline) => _reload.Warm(deadline);

    /// <summary>
    /// Makes the file and the running server obey the gate. An opening is refused when it is late, when the block on disk has a higher term
    /// (R11) or when no server runs; one that turns out late after the reload is shut again at once (R6). A closing is never refused and never lowers the term on disk.
    /// </summary>
    /// <param name="gate">What clients may do.</param>
    /// <param name="term">Of the lease that orders it.</param>
    /// <param name="notAfter">Boot-time clock. An opening must be in force by then or is undone; a closing stops waiting for its confirmation.</param>
    /// <param name="durability">A closing in a hurry may leave the fsync to <see cref="Flush"/>.</param>
    /// <param name="signalled">Called on this thread right after the reload signal of a closing.</param>
    /// <param name="beginsStop">A closing begins a fast shutdown with that signal; a server that is stopping lets nobody in, which confirms it.</param>
    public HbaResult Apply(Gate gate, Term term, Instant notAfter, Durability durability = Durability.Durable, Action? signalled = null, bool beginsStop = false)
    {
        var isClosing = gate == Gate.Fenced;
        if (isClosing)
        {
            Interlocked.Increment(ref _closings);
        }

        var closings = Volatile.Read(ref _closings);
        var wait = BootClock.Now + (isClosing ? _closingLockWait : _lockWait);
        using var held = _disk.TryLock(Instant.Min(notAfter, wait), out var lockError);
        if (held is null && !isClosing)
        {
            return new HbaResult(HbaOutcome.Failed, gate, term, false, lockError ?? "the file is locked");
        }

        var search = _folder.FindPostmaster(BootClock.Now + _closingLockWait);
        using var postmaster = search.Found;
        var order = new HbaOrder(_disk, _reload, _loaded, _policy, search)
        {
            Gate = gate,
            Term = term,
            NotAfter = notAfter,
            Durability = durability,
            Signalled = signalled ?? (static () => { }),
            BeginsStop = beginsStop,
            IsOvertaken = () => Volatile.Read(ref _closings) != closings,
            WithoutLock = held is null ? lockError ?? "" : "",
        };
        return order.Run();
    }

    /// <summary>Makes a hurried closing survive a power cut; waits as long as the disk does.</summary>
    public FileResult Flush() => _disk.Flush();

    /// <summary>What the file says now. Cheap; asks no server.</summary>
    public HbaState Inspect()
    {
        if (_disk.Read(out var error) is not { } bytes)
        {
            return new HbaState(null, false, error);
        }

        var file = HbaFile.Parse(bytes);
        var onDisk = file.ReadGate(_policy.NodeName);
        var isInOrder = onDisk is { IsForeign: false } block && !file.WithBlock(_policy, block.Gate, block.Term, _disk.Folder, new HbaDiskSource()).Changed;
        return new HbaState(onDisk, isInOrder, "");
    }

    /// <summary>The file as it would become, and as it is; for people. Null with the reason when it cannot be read.</summary>
    public (byte[] Before, HbaEdit After)? Preview(Gate gate, Term term, out string error) =>
        _disk.Read(out error) is { } bytes
            ? (bytes, HbaFile.Parse(bytes).WithBlock(_policy, gate, term, _disk.Folder, new HbaDiskSource()))
            : null;

    public void Dispose() => _reload.Dispose();
}
