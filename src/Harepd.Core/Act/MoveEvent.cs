using Harepd.Core.Model;

namespace Harepd.Core.Act;

/// <summary>One line of the report on a planned move, for whoever ordered it.</summary>
/// <param name="OrderId">That of the order.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Subject">The step, the check, or the outcome; stable words.</param>
/// <param name="Took">How long the step, or all of it, took; zero where it means nothing.</param>
/// <param name="Detail">One sentence for people; may be empty.</param>
public sealed record MoveEvent(long OrderId, MoveEventKind Kind, string Subject, TimeSpan Took, string Detail)
{
    /// <summary>With the end: from the hold, or the shut gate without one, until the gate was seen open again, here or there.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>With the end: how it ended.</summary>
    public MoveOutcome Outcome { get; init; }
}

/// <summary>Kinds of <see cref="MoveEvent"/>.</summary>
public enum MoveEventKind
{
    /// <summary>A check passed.</summary>
    Checked = 0,

    /// <summary>A check stands in the way.</summary>
    Problem,

    StepBegan,
    StepDone,
    StepFailed,

    /// <summary>The last event of an order.</summary>
    Ended,
}

/// <summary>How a planned move ended.</summary>
public enum MoveOutcome
{
    /// <summary>It has not.</summary>
    None = 0,

    /// <summary>The other server is the primary.</summary>
    Moved,

    /// <summary>The server was restarted where it is, and serves again.</summary>
    Restarted,

    /// <summary>Only the checks were wanted, and nothing stands in the way.</summary>
    Possible,

    /// <summary>It was not begun; nothing was changed.</summary>
    Refused,

    /// <summary>It waits for its time.</summary>
    Scheduled,

    /// <summary>It was taken back: the old primary serves again, or had never stopped to.</summary>
    TakenBack,

    /// <summary>It failed and could not be taken back; the ordinary rules decide who serves.</summary>
    Failed,

    /// <summary>What was ordered of this node is done.</summary>
    Done,

    /// <summary>The holder's server is stopped by order, and the lease kept; or that is over, and the server stays down.</summary>
    Stopped,
}
