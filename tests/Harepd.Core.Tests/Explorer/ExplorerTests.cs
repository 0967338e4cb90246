using Xunit;
using Xunit.Abstractions;

namespace Harepd.Core.Tests.Explorer;

/// <summary>
/// Every state of a small cluster, with the product's own voter and lease machine. <c>HAREPD_EXPLORE=deep</c> goes further and takes
/// minutes and gigabytes.
/// </summary>
public sealed class ExplorerTests(ITestOutputHelper output)
{
    private static readonly Bounds[] Quick =
    [
        new(Ballots: 2),
        new(Ballots: 3, CandidateRestarts: 0),
        new(Ballots: 3, VoterRestarts: 0),
        new(Candidates: 3, Ballots: 2, VoterRestarts: 0),
        new(Ballots: 2, Slow: 1, Fast: 2),
    ];

    private static readonly Bounds[] Deep =
    [
        new(Ballots: 3),
        new(Ballots: 3, VoterRestarts: 2, CandidateRestarts: 0),
        new(Candidates: 3, Ballots: 3, VoterRestarts: 0),
        new(Candidates: 3, Ballots: 3, CandidateRestarts: 0),
        new(Ballots: 4, VoterRestarts: 0),
        new(Ballots: 4, CandidateRestarts: 0),
        new(Ballots: 2, Duration: 4, Slow: 2, Fast: 3),
        new(Ballots: 3, VoterRestarts: 0, CandidateRestarts: 0, Slow: 1, Fast: 2),
    ];

    [Fact]
    public void Two_owners_at_once_are_nowhere_within_the_bounds()
    {
        foreach (var bounds in IsDeep() ? [.. Quick, .. Deep] : Quick)
        {
            var finding = new Search(bounds, Flaw.None).Run();

            output.WriteLine($"{bounds.Words}: {finding.States} states, depth {finding.Depth}, {finding.Seconds:0.0} s");
            Assert.True(finding.IsSafe, $"{bounds.Words}: two owners at once\n{finding.Trace}");
            Assert.True(finding.IsExhausted, bounds.Words);
        }
    }

    [Fact]
    public void The_holds_of_the_explorer_are_those_of_the_product()
    {
        Assert.Equal(Bounds.Unit * 2, new Bounds().Settings.AbstainFor);
        Assert.Equal(Bounds.Unit * 4, new Bounds(Slow: 1, Fast: 2).Settings.AbstainFor);
        Assert.Equal(Bounds.Unit * 6, new Bounds(Duration: 4, Slow: 2, Fast: 3).Settings.AbstainFor);
    }

    private static bool IsDeep() => Environment.GetEnvironmentVariable("HAREPD_EXPLORE") == "deep";
}
