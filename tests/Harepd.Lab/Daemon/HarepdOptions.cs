namespace Harepd.Lab.Daemon;

/// <summary>What the configuration files of a lab's daemons say beyond the lab's own addresses.</summary>
public sealed record HarepdOptions
{
    /// <summary>Keys by their path below <c>harepd</c>, such as <c>lease.profile</c>; they win over what the lab writes. A null removes a key.</summary>
    public IReadOnlyDictionary<string, string?> Keys { get; init; } = new Dictionary<string, string?>();

    /// <summary>Daemons have the precedence over servers and clients that their unit gives them (<c>Nice=-10</c>), where the caller may give it: on shared processors it counts.</summary>
    public bool HasUnitsPrecedence { get; init; }

    /// <summary>These options with one more key.</summary>
    public HarepdOptions With(string key, string? value) => this with { Keys = new Dictionary<string, string?>(Keys) { [key] = value } };
}
