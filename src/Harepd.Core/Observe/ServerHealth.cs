namespace Harepd.Core.Observe;

/// <summary>How the local PostgreSQL answers, told apart by what each state permits (issue: down is not hung is not full).</summary>
public enum ServerHealth
{
    /// <summary>Not looked at yet.</summary>
    Unknown = 0,

    /// <summary>Answers queries; for a primary, the write probe succeeds too.</summary>
    Running,

    /// <summary>The postmaster lives and refuses sessions because it starts, recovers or stops (SQLSTATE 57P03).</summary>
    Starting,

    /// <summary>Alive, but every connection slot is taken (53300): never a reason to fail over.</summary>
    SlotsFull,

    /// <summary>The postmaster or the session does not answer within the hang timeout.</summary>
    Hung,

    /// <summary>Answers, but cannot write: disk full, read-only file system, failing WAL.</summary>
    CannotWrite,

    /// <summary>No postmaster: it was stopped cleanly (pg_control says shut down).</summary>
    StoppedCleanly,

    /// <summary>No postmaster, and it did not shut down cleanly.</summary>
    Down,
}
