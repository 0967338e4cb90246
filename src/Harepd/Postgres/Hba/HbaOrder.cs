using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Hba;

/// <summary>One order to the gate, from reading the file to the confirmation. Lives for one call of <see cref="HbaGate.Apply"/>, under the file's lock.</summary>
internal sealed class HbaOrder(HbaDisk disk, HbaReload reload, HbaLoaded loaded, HbaPolicy policy, PostmasterSearch search)
{
    /// <summary>How long a confirmation is waited for when the order's own limit is further away.</summary>
    private static readonly TimeSpan _confirmWait = TimeSpan.FromSeconds(1);

    private readonly List<string> _notes = [];
    private byte[] _before = [];
    private HbaOnDisk? _onDisk;
    private IReadOnlyList<string> _takenOver = [];
    private string _backup = "";

    public required Gate Gate { get; init; }

    public required Term Term { get; init; }

    public required Instant NotAfter { get; init; }

    public required Durability Durability { get; init; }

    /// <summary>Why this closing goes on without the file's lock; empty when it holds it.</summary>
    public required string WithoutLock { get; init; }

    public required Action Signalled { get; init; }

    /// <summary>This closing begins a fast shutdown.</summary>
    public required bool BeginsStop { get; init; }

    /// <summary>True once a closing began after this order: an opening must not stand then.</summary>
    public required Func<bool> IsOvertaken { get; init; }

    private Postmaster? Server => search.Found;

    // Fewer rights than the block on disk gives: never refused, never rolled back.
    private bool IsClosing => Gate == Gate.Fenced || Gate < (_onDisk?.Gate ?? Gate.Fenced);

    public HbaResult Run()
    {
        if (disk.Read(out var error) is not { } before)
        {
            return End(HbaOutcome.Failed, false, error);
        }

        _before = before;
        var file = HbaFile.Parse(before);
        _onDisk = file.ReadGate(policy.NodeName);
        var diskTerm = _onDisk?.Term ?? Term.None;
        if (!IsClosing && WhyRefused(diskTerm) is { } refusal)
        {
            return End(HbaOutcome.Refused, false, refusal);
        }

        // A closing by an older order still closes; it only must not make the term on disk fall (R11).
        var term = diskTerm > Term ? diskTerm : Term;
        var edit = Edit(file, term);
        _notes.AddRange(edit.Notes);
        if (WithoutLock.Length > 0)
        {
            _notes.Add($"closed without the lock: {WithoutLock}");
        }

        return edit.Changed ? Write(edit.Bytes, term) : Keep(term);
    }

    private string? WhyRefused(Term diskTerm) =>
        BootClock.Now >= NotAfter ? "the opening came too late"
        : IsOvertaken() ? "a closing overtook the opening"
        : diskTerm > Term ? $"pg_hba.conf carries term {diskTerm}, which is higher than {Term}"
        : Server is null ? $"nothing is opened while PostgreSQL is down ({search.Reason})"
        : null;

    private HbaEdit Edit(HbaFile file, Term term)
    {
        var edit = file.WithBlock(policy, Gate, term, disk.Folder, new HbaDiskSource());
        if (edit.TakenOver.Count == 0)
        {
            return edit;
        }

        var result = disk.BackUp(_before, out _backup);
        if (result.IsDone)
        {
            _takenOver = edit.TakenOver;
            return edit;
        }

        _notes.Add($"the Go daemon's lines stay, because the backup failed: {result.Error}");
        return file.WithBlock(policy, Gate, term, disk.Folder, new HbaDiskSource(), takeOver: false);
    }

    private HbaResult Keep(Term term)
    {
        if (disk.Facts is not { } facts)
        {
            return End(HbaOutcome.Failed, false, "pg_hba.conf is gone");
        }

        loaded.Saw(facts);
        if (Server is null ? search.IsCertain : loaded.IsLoaded(facts, Server))
        {
            return End(HbaOutcome.AlreadySo, true, "", term) with { ConfirmedAt = BootClock.Now };
        }

        return IsClosing ? Close(HbaOutcome.AlreadySo, _before, term) : Open(HbaOutcome.AlreadySo, _before, term);
    }

    private HbaResult Write(byte[] content, Term term)
    {
        if (!IsClosing && WhyRefused(_onDisk?.Term ?? Term.None) is { } refusal)
        {
            return End(HbaOutcome.Refused, false, refusal);
        }

        var written = disk.Write(content, Durability);
        if (!written.IsDone)
        {
            // The rename may have happened with only the folder's fsync failing: what the file says decides, not what we meant.
            var says = disk.Read(out _) is { } now && now.AsSpan().SequenceEqual(content);
            _notes.Add(written.Error ?? "");
            if (!says)
            {
                return End(HbaOutcome.Failed, false, written.Error ?? "");
            }
        }

        if (disk.Facts is { } facts)
        {
            loaded.Saw(facts);
        }

        return IsClosing ? Close(HbaOutcome.Applied, content, term) : Open(HbaOutcome.Applied, content, term);
    }

    private HbaResult Close(HbaOutcome outcome, byte[] content, Term term)
    {
        if (Server is null)
        {
            // Not found is not the same as not there.
            return search.IsCertain
                ? End(outcome, true, "PostgreSQL is down; it comes back shut", term) with { ConfirmedAt = BootClock.Now }
                : End(outcome, false, $"nobody knows whether PostgreSQL runs: {search.Reason}", term);
        }

        if (BeginsStop && HbaReload.SignalStop(Server, Until(), Signalled, out var stoppedAt))
        {
            return End(outcome, true, "the server is stopping and lets nobody in", term) with { SignalledAt = stoppedAt, ConfirmedAt = BootClock.Now };
        }

        var (at, problem) = reload.SignalThenConfirm(content, Server, Until(), Signalled);
        return Confirmed(outcome, problem, term) with { SignalledAt = at };
    }

    private HbaResult Open(HbaOutcome outcome, byte[] content, Term term)
    {
        var (before, problem) = reload.Judge(content, Until());
        if (WhyRefused(Term.None) is { } refusal)
        {
            return ShutAgain(refusal, term);
        }

        if (problem is not null || !reload.Signal(Server!, Until()))
        {
            return RollBack(outcome, content, problem ?? "the postmaster cannot be signalled to reload", term);
        }

        var at = BootClock.Now;
        var (isLoaded, slow) = WhyRefused(Term.None) is null ? reload.Wait(before, Until()) : (false, "");

        // The clock and the closings are looked at after the deed (R6): what came late is shut again before anything else.
        return WhyRefused(Term.None) is { } late
            ? ShutAgain(late, term) with { SignalledAt = at }
            : Confirmed(outcome, isLoaded ? "" : slow, term) with { SignalledAt = at };
    }

    private HbaResult Confirmed(HbaOutcome outcome, string problem, Term term)
    {
        if (problem.Length > 0 || disk.Facts is not { } facts)
        {
            return End(outcome, false, problem.Length > 0 ? problem : "pg_hba.conf is gone", term);
        }

        loaded.Confirm(facts, Server!);
        return End(outcome, true, "", term) with { ConfirmedAt = BootClock.Now };
    }

    private HbaResult RollBack(HbaOutcome outcome, byte[] content, string reason, Term term)
    {
        // It stood so before us, or somebody who may do without the lock has closed it meanwhile: then there is nothing to put back.
        if (outcome == HbaOutcome.AlreadySo || disk.Read(out _) is not { } now || !now.AsSpan().SequenceEqual(content))
        {
            return End(HbaOutcome.Failed, false, reason);
        }

        var restored = disk.Write(_before, Durability.Durable);
        return IsOvertaken() ? ShutAgain(reason, term)
            : restored.IsDone ? End(HbaOutcome.RolledBack, false, reason)
            : End(HbaOutcome.Failed, false, $"{reason}; and the old file could not be put back: {restored.Error}");
    }

    private HbaResult ShutAgain(string reason, Term term)
    {
        var file = HbaFile.Parse(disk.Read(out _) ?? _before);
        var diskTerm = file.ReadGate(policy.NodeName)?.Term ?? Term.None;
        var edit = file.WithBlock(policy, Gate.Fenced, diskTerm > term ? diskTerm : term, disk.Folder, new HbaDiskSource());
        var shut = disk.Write(edit.Bytes, Durability.VisibleOnly);
        if (shut.IsDone)
        {
            _ = reload.Signal(Server!, BootClock.Now + _confirmWait);
            _ = disk.Flush();
        }

        return new HbaResult(HbaOutcome.ShutAgain, Gate.Fenced, term, false, shut.IsDone ? reason : $"{reason}; shutting failed: {shut.Error}");
    }

    private Instant Until() => Instant.Min(NotAfter, BootClock.Now + _confirmWait);

    private HbaResult End(HbaOutcome outcome, bool isConfirmed, string reason, Term? term = null)
    {
        var isDone = outcome is HbaOutcome.Applied or HbaOutcome.AlreadySo;
        return new HbaResult(outcome, isDone ? Gate : _onDisk?.Gate ?? Gate.Fenced, isDone ? term ?? Term : _onDisk?.Term ?? Term.None, isConfirmed, reason)
        {
            TakenOver = isDone ? _takenOver : [],
            BackupPath = _backup,
            Notes = _notes,
        };
    }
}
