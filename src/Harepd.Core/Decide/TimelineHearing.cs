using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>
/// A voter that found nothing on its disk asks what the others have on theirs, before it accepts anybody (DESIGN section 4, "Timelines"). It may have been
/// one of the majority that noted a timeline, so every other member must be heard: whoever was in that majority besides is among them.
/// </summary>
/// <param name="Since">Only what was stated after this counts: an older word, told on by a third member, may be from before what was lost.</param>
public sealed record TimelineHearing(Instant Since)
{
    /// <summary>A disk that refused is not asked again before this.</summary>
    public Instant NextTry { get; init; }

    /// <summary>It was told once that votes wait for this.</summary>
    public bool IsTold { get; init; }

    /// <summary>
    /// The highest that anybody has; none where nobody has any, as in a new cluster. Null when they contradict each other: two systems, or two switch
    /// points of one timeline. Then an operator must say which is right.
    /// </summary>
    public static DurableTimeline? Highest(IReadOnlyCollection<DurableTimeline> heard)
    {
        var highest = heard.Max();
        var contradicts = heard.Any(noted =>
            !noted.IsNone && (noted.System != highest.System || (noted.Point.Timeline == highest.Point.Timeline && noted.Point != highest.Point)));
        return contradicts ? null : highest;
    }
}
