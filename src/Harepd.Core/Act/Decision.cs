using Harepd.Core.Model;

namespace Harepd.Core.Act;

/// <summary>What was decided, and why. Recorded once, never repeated each tick.</summary>
/// <param name="Kind">Stable name of the event.</param>
/// <param name="Term">The term it happened under; none when there is none.</param>
/// <param name="From">State before.</param>
/// <param name="To">State after.</param>
/// <param name="Reason">One sentence.</param>
public sealed record Decision(DecisionKind Kind, Term Term, string From, string To, string Reason)
{
    /// <summary>Who wanted it.</summary>
    public DecisionActor Actor { get; init; }

    /// <summary>How long the step that ends with it took, boot-time clock; null where no step does.</summary>
    public TimeSpan? Took { get; init; }

    /// <summary>What the server that it speaks of writes or replays; unknown where it speaks of none.</summary>
    public TimelinePoint Timeline { get; init; }

    /// <summary>That server's position as last seen: written by a primary, received by a standby; zero where unknown.</summary>
    public Lsn Lsn { get; init; }

    /// <summary>How the voters answered; null where nobody was asked.</summary>
    public VoteCount? Votes { get; init; }
}

/// <summary>Who wanted what was decided.</summary>
public enum DecisionActor
{
    /// <summary>The daemon by itself.</summary>
    Daemon = 0,

    /// <summary>A person: an order at the local door, or a signal.</summary>
    Operator = 1,
}

/// <summary>How many distinct voters said yes and how many no, as far as they had answered.</summary>
public readonly record struct VoteCount(int Yes, int No);
