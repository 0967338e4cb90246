using Harepd.Core.Model;

namespace Harepd.Postgres.Hba;

/// <summary>How an order to the HBA gate ended.</summary>
internal enum HbaOutcome
{
    /// <summary>The file was rewritten.</summary>
    Applied,

    /// <summary>The file said so already; nothing was written.</summary>
    AlreadySo,

    /// <summary>An opening that must not be: too late, a higher term on disk, no server. Nothing was written.</summary>
    Refused,

    /// <summary>An opening was written, PostgreSQL would not load it, and the old file is back.</summary>
    RolledBack,

    /// <summary>An opening was in force, came late, and was shut again at once: whoever got in meanwhile must be fenced.</summary>
    ShutAgain,

    /// <summary>The file could not be read or written; it is as it was.</summary>
    Failed,
}

/// <summary>What came of an order to the HBA gate.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Gate">The gate that the file has now, as far as known.</param>
/// <param name="Term">The term that the file carries now.</param>
/// <param name="IsConfirmed">The running server is known to obey the file as it is now; with no server running: the next one will.</param>
/// <param name="Reason">One sentence; empty when there is nothing to say.</param>
internal sealed record HbaResult(HbaOutcome Outcome, Gate Gate, Term Term, bool IsConfirmed, string Reason)
{
    /// <summary>When the reload signal went out, on the boot-time clock; zero when none did.</summary>
    public Instant SignalledAt { get; init; }

    /// <summary>When the server was known to obey; zero when it is not.</summary>
    public Instant ConfirmedAt { get; init; }

    /// <summary>Lines of the Go daemon that the block took over, once.</summary>
    public IReadOnlyList<string> TakenOver { get; init; } = [];

    /// <summary>The backup that was made for that; empty when none was.</summary>
    public string BackupPath { get; init; } = "";

    /// <summary>What an operator should know of the file, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>True when the file says what was ordered.</summary>
    public bool IsDone => Outcome is HbaOutcome.Applied or HbaOutcome.AlreadySo;
}

/// <summary>What pg_hba.conf says now, for the reconciler and for people.</summary>
/// <param name="OnDisk">The block; null when there is none.</param>
/// <param name="IsInOrder">It stands at the top and says exactly what the policy wants for its gate.</param>
/// <param name="Error">Why the file cannot be read; empty when it can.</param>
internal sealed record HbaState(HbaOnDisk? OnDisk, bool IsInOrder, string Error);
