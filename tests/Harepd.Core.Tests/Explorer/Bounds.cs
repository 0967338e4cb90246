using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Explorer;

/// <summary>How far the explorer goes. Three voters always; time itself is not bounded.</summary>
/// <param name="Candidates">2: two data nodes and a witness; 3: three data nodes.</param>
/// <param name="Ballots">How many attempts and renewals there are in all; at most 5.</param>
/// <param name="VoterRestarts">How often a voter loses its memory.</param>
/// <param name="CandidateRestarts">How often a candidate becomes a new owner.</param>
/// <param name="Duration">D in units of the clock.</param>
/// <param name="Slow">Units by which a slow clock moves in one tick.</param>
/// <param name="Fast">Units by which a fast clock moves in one tick.</param>
internal sealed record Bounds(int Candidates = 2, int Ballots = 3, int VoterRestarts = 1, int CandidateRestarts = 1, int Duration = 2, int Slow = 1, int Fast = 1)
{
    public const int Voters = 3;

    /// <summary>One unit of a clock: the finest span the product knows.</summary>
    public static readonly TimeSpan Unit = TimeSpan.FromTicks(10);

    /// <summary>Every local clock stands here all the time; what was stored moves towards it instead.</summary>
    public static readonly Instant Base = new(1_000_000_000);

    public static readonly MemberId[] Members = [new("a"), new("b"), new("c")];

    /// <summary>States after which the search is given up as not exhausted.</summary>
    public int MostStates { get; init; } = 60_000_000;

    /// <summary>D, A and Q are the product's own arithmetic: ρ is such that (1+ρ)/(1−ρ) is Fast/Slow, and the margin is nothing.</summary>
    public LeaseSettings Settings => new()
    {
        Duration = Unit * Duration,
        MaxDuration = Unit * Duration,
        DriftPpm = (int)Math.Ceiling(1_000_000.0 * (Fast - Slow) / (Fast + Slow)) - (Fast == Slow ? 0 : 1),
        Margin = TimeSpan.Zero,
        FenceBudget = TimeSpan.Zero,
        Retransmit = TimeSpan.FromHours(1),
        RenewInterval = TimeSpan.Zero,
        RoundTrip = TimeSpan.Zero,
    };

    public string Words => $"{Candidates} candidates, {Ballots} ballots, {VoterRestarts} voter and {CandidateRestarts} candidate restarts, D = {Duration}, clocks {Slow}:{Fast}";

    public LeaseRules Rules => new(Membership, Settings);

    public Membership Membership { get; } = new("explorer", 1, Members);
}
