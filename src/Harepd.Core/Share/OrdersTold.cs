namespace Harepd.Core.Share;

/// <summary>What an operator ordered of the member that reports, as it tells the others; for people, and for whoever counts on it.</summary>
/// <param name="Maintained">How much longer it is in maintenance, from when the report was made; zero when it is not.</param>
/// <param name="Fenced">How much longer it is fenced by an order; zero when it is not.</param>
public sealed record OrdersTold(TimeSpan Maintained, TimeSpan Fenced)
{
    /// <summary>Its server is stopped, or being stopped, by an order.</summary>
    public bool IsStopped { get; init; }

    public bool IsMaintained => Maintained > TimeSpan.Zero;

    public bool IsFenced => Fenced > TimeSpan.Zero;
}
