using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>Whether this member should take over now.</summary>
public enum FailoverAnswer
{
    /// <summary>There is nothing to take over, or nobody here who could.</summary>
    Quiet = 0,

    /// <summary>Not by itself; a person may.</summary>
    No,

    /// <summary>Not yet.</summary>
    Wait,

    /// <summary>Ask for the lease, then promote.</summary>
    Go,
}

/// <summary>The answer and why; what an operator reads when a failover did not happen.</summary>
/// <param name="Answer">Now.</param>
/// <param name="Reason">One sentence; the same words while the same reason stands, so that it is recorded once.</param>
/// <param name="Until">When to look again at the latest; <see cref="Instant.Forever"/> when only news can change it.</param>
public readonly record struct FailoverVerdict(FailoverAnswer Answer, string Reason, Instant Until)
{
    /// <summary>Only a better candidate stands in the way.</summary>
    public bool IsOutranked { get; init; }

    /// <summary>Only a fresh look at the own server stands in the way.</summary>
    public bool IsReading { get; init; }

    /// <summary>Only an operator's acceptance of a possible loss stands in the way; the standby serves its readers meanwhile.</summary>
    public bool AwaitsAcceptance { get; init; }

    /// <summary>It will be this member's turn as soon as the dead primary's gate is known to be shut: time to get ready.</summary>
    public bool IsImminent { get; init; }

    /// <summary>Nothing that the own server could show matters before the next word of another.</summary>
    public bool IsOnTheirWord { get; init; }

    /// <summary>Nothing to decide.</summary>
    public static FailoverVerdict Quiet(string reason, Instant until) => new(FailoverAnswer.Quiet, reason, until);

    /// <summary>Not without a person.</summary>
    public static FailoverVerdict No(string reason) => new(FailoverAnswer.No, reason, Instant.Forever);

    /// <summary>Not yet, and when to look again.</summary>
    public static FailoverVerdict Wait(string reason, Instant until) => new(FailoverAnswer.Wait, reason, until);

    /// <summary>Now.</summary>
    public static FailoverVerdict Go(string reason) => new(FailoverAnswer.Go, reason, Instant.Forever);
}
