namespace Harepd.Core.Model;

/// <summary>What an operator orders of one node alone.</summary>
/// <param name="Id">Chosen by whoever asks; what is answered carries it.</param>
/// <param name="Kind">What is wanted.</param>
/// <param name="IsDryRun">Only the checks.</param>
public sealed record LocalOrder(long Id, LocalOrderKind Kind, bool IsDryRun)
{
    /// <summary>None lasts longer.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>How long it lasts; above zero where it ends by itself.</summary>
    public TimeSpan For { get; init; }

    /// <summary>How long the server may take to stop, or to start and to get what it needs for that.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>No start is waited for longer.</summary>
    public static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(10);

    /// <summary>That nobody may be served meanwhile is wanted.</summary>
    public bool AcceptsOutage { get; init; }
}

/// <summary>Kinds of <see cref="LocalOrder"/>.</summary>
public enum LocalOrderKind
{
    /// <summary>The node takes over nothing, is not rejoined by itself, and gets no readers.</summary>
    Maintain = 0,

    EndMaintenance,

    /// <summary>The gate is shut, and the lease neither kept nor asked for.</summary>
    Fence,

    Unfence,

    /// <summary>The server is stopped, with its last checkpoint; a holder's for as long as the order says, under the lease.</summary>
    Stop,

    /// <summary>The server that is down is started as what it was.</summary>
    Start,
}
