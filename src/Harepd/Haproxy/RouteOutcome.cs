namespace Harepd.Haproxy;

/// <summary>How one pass over a HAProxy ended.</summary>
/// <param name="Ok">The state read back is as desired.</param>
/// <param name="Detail">What was done or why not; the same text for the same situation, so that it can be compared.</param>
internal sealed record RouteOutcome(bool Ok, string Detail)
{
    /// <summary>The last reading, null when there was none.</summary>
    public HaproxyView? View { get; init; }

    /// <summary>Something had to be changed in this pass.</summary>
    public bool HasChanged { get; init; }

    /// <summary>This node's server takes new writing clients.</summary>
    public bool IsServing { get; init; }

    internal static RouteOutcome Failed(string detail, HaproxyView? view = null) => new(false, detail) { View = view };
}
