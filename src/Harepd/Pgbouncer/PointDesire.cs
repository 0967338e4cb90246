using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Pgbouncer;

/// <summary>Where the managed databases are to point.</summary>
/// <param name="Place">The writer; null lets clients wait.</param>
/// <param name="Term">The lease behind it; a lower one than the newest seen is refused (R11).</param>
internal sealed record PointDesire(WriterPlace? Place, Term Term);

/// <summary>The wish that new clients wait for a while, although the writer is here.</summary>
/// <param name="Term">The lease under which it is made.</param>
/// <param name="Until">It ends by itself at this moment, boot-time clock.</param>
internal sealed record PoolHold(Term Term, Instant Until);

/// <summary>How one pass over a PgBouncer ended.</summary>
/// <param name="Ok">What was read back is as desired.</param>
/// <param name="Detail">What was done or why not; the same text for the same situation, so that it can be compared.</param>
internal sealed record PointOutcome(bool Ok, string Detail)
{
    /// <summary>PgBouncer was heard.</summary>
    public bool IsRead { get; init; } = true;

    internal static PointOutcome Failed(string detail) => new(false, detail);

    internal static PointOutcome Unheard(string reason) => new(false, reason) { IsRead = false };
}

/// <summary>What became of a desire at one PgBouncer.</summary>
/// <param name="Endpoint">Which.</param>
/// <param name="Desire">What was wanted.</param>
/// <param name="Ok">PgBouncer's own state, read back, is as wanted.</param>
/// <param name="Detail">One sentence for people.</param>
internal sealed record PointApplied(PgbouncerEndpoint Endpoint, PointDesire Desire, bool Ok, string Detail);
