namespace Harepd.Core.Share;

/// <summary>An operator's word that nobody takes over by itself for a while, as one member tells it to another. The highest number counts.</summary>
/// <param name="Number">Of the order, unix milliseconds: a later one replaces an earlier one, wherever each was given.</param>
/// <param name="For">How much longer, from when the report was made; zero: it is over.</param>
public sealed record FailoverPause(long Number, TimeSpan For)
{
    /// <summary>None lasts longer.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);
}
