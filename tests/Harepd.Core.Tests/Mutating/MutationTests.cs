using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Harepd.Core.Model;
using Harepd.Core.Tests.Explorer;
using Harepd.Core.Tests.Simulation;
using Xunit;

namespace Harepd.Core.Tests.Mutating;

/// <summary>
/// A checker that cannot find planted bugs is not done: each mutation must be found, and those that survive alone must survive.
/// docs/MUTATIONS.md holds the figures; <c>HAREPD_REWRITE=1</c> writes it anew.
/// </summary>
public sealed class MutationTests
{
    private const ulong MostSeeds = 6_000;

    [Fact]
    public void Every_planted_bug_is_found_and_what_survives_alone_survives()
    {
        var caught = new ConcurrentDictionary<string, (Flaw Flaw, Finding Finding)>();
        var survived = new ConcurrentDictionary<string, (Flaw Flaw, Finding Finding)>();
        var seen = new ConcurrentDictionary<string, Outcome?>();
        var jobs = new List<Action>();
        jobs.AddRange(Flaws.Caught.Select(flaw => (Action)(() => caught[flaw.Name] = (flaw, new Search(flaw.Bounds, flaw).Run()))));
        jobs.AddRange(Flaws.Surviving.Select(flaw => (Action)(() => survived[flaw.Name] = (flaw, new Search(flaw.Bounds, flaw).Run()))));
        jobs.AddRange(Mutations.All.Select(mutation => (Action)(() => seen[mutation.Name] = FirstSeed(mutation))));
        Parallel.ForEach(jobs, new ParallelOptions { MaxDegreeOfParallelism = 2 }, job => job());

        Assert.Empty(caught.Values.Where(pair => pair.Finding.IsSafe).Select(pair => pair.Flaw.Name));
        Assert.Empty(survived.Values.Where(pair => !pair.Finding.IsSafe).Select(pair => $"{pair.Flaw.Name}\n{pair.Finding.Trace}"));
        Assert.Empty(survived.Values.Where(pair => !pair.Finding.IsExhausted).Select(pair => pair.Flaw.Name));
        Assert.Empty(seen.Where(pair => pair.Value is null).Select(pair => pair.Key));

        var table = Table(caught, survived, seen);
        if (Environment.GetEnvironmentVariable("HAREPD_REWRITE") == "1")
        {
            File.WriteAllText(Document(), table);
        }

        // The figures move with every change of the product; what must not go out of date is which bugs are planted and what became of them.
        Assert.Equal(Names(table), Names(File.ReadAllText(Document())));
    }

    /// <summary>Sets that differ by one member, taken for the same (R10): two quorums without a common voter, four steps away.</summary>
    [Fact]
    public void Memberships_compared_up_to_one_member_give_two_disjoint_quorums()
    {
        MemberId[] names = [new("a"), new("b"), new("c"), new("d")];
        var old = new Membership("test", 1, names[..3]);
        var next = new Membership("test", 2, [names[1], names[2], names[3]]);
        var further = new Membership("test", 3, [names[2], names[3], new MemberId("e")]);

        // The product: no vote passes between any two of them.
        Assert.Equal(3, new[] { old, next, further }.Select(membership => membership.Stamp).Distinct().Count());

        // "Up to one member" would let a and b vote under the first, and d and e under the last by way of the middle one.
        Assert.True(DiffersByOne(old, next) && DiffersByOne(next, further));
        Assert.True(old.IsMajority(new HashSet<MemberId> { names[0], names[1] }));
        Assert.True(further.IsMajority(new HashSet<MemberId> { names[3], new("e") }));

        // With the previous set counted as well, neither quorum is one during its change.
        var joint = new Membership("test", 3, further.Members, next.Members);
        Assert.False(joint.IsMajority(new HashSet<MemberId> { names[3], new("e") }));
    }

    private static bool DiffersByOne(Membership left, Membership right) =>
        left.Members.Except(right.Members).Count == 1 && right.Members.Except(left.Members).Count == 1;

    private static Outcome? FirstSeed(Mutation mutation)
    {
        for (var seed = 1UL; seed <= MostSeeds; seed++)
        {
            var outcome = Simulator.Run(mutation.Sharpen(Plan.Draw(seed)), mutation);
            if (outcome.Violation is not null)
            {
                return outcome;
            }
        }

        return null;
    }

    private static string Table(
        ConcurrentDictionary<string, (Flaw Flaw, Finding Finding)> caught,
        ConcurrentDictionary<string, (Flaw Flaw, Finding Finding)> survived,
        ConcurrentDictionary<string, Outcome?> seen)
    {
        var text = new StringBuilder();
        text.Append(
            """
            # Planted bugs, and what finds them

            Written by the tests (`HAREPD_REWRITE=1 dotnet test tests/Harepd.Core.Tests --filter MutationTests`). Each row is a rule broken on purpose,
            by a wrapper around the product's own functions or in the rooms of the simulated world; the product has no switches for it.
            The test fails when one is not found any more.

            ## In the lease: the explorer

            Breadth-first through every state of three voters and two candidates; the trace is the shortest way to two owners at once.
            The design's own checker, an independent model, gave the trace in the third column; where ours is shorter, renewals are Accept-only.

            | rule broken | trace | known | states until found | within |
            |---|---|---|---|---|

            """);
        foreach (var flaw in Flaws.Caught)
        {
            var finding = caught[flaw.Name].Finding;
            var known = flaw.KnownTrace == 0 ? "" : flaw.KnownTrace.ToString(CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"| {flaw.Name} | {finding.Depth} | {known} | {finding.States:N0} | {flaw.Bounds.Ballots} ballots, {flaw.Bounds.VoterRestarts} + {flaw.Bounds.CandidateRestarts} restarts |\n");
        }

        text.Append("\nThese break nothing alone, and every state within the bounds was met:\n\n| survives | states |\n|---|---|\n");
        foreach (var flaw in Flaws.Surviving)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {flaw.Name} | {survived[flaw.Name].Finding.States:N0} |\n");
        }

        text.Append("\n## Above the lease: the simulator\n\nSeeds from 1 upwards; faults that a bug cannot show without are turned on in each.\n\n| bug | first seed | seen as | faults added |\n|---|---|---|---|\n");
        foreach (var mutation in Mutations.All)
        {
            var outcome = seen[mutation.Name]!;
            var needs = mutation.Needs == Faults.None ? "" : mutation.Needs.ToString();
            text.Append(CultureInfo.InvariantCulture, $"| {mutation.Name} | {outcome.Plan.Seed} | {Kind(outcome.Violation!)} | {needs} |\n");
        }

        return text.ToString();
    }

    /// <summary>What was violated, without names and numbers.</summary>
    private static string Kind(string violation) => violation switch
    {
        _ when violation.Contains("although an operator", StringComparison.Ordinal) => "what an operator's order forbids",
        _ when violation.Contains("were acknowledged", StringComparison.Ordinal) => "an acknowledged write that is lost",
        _ when violation.Contains("a promotion", StringComparison.Ordinal) => "a promotion that must not be",
        _ when violation.Contains("write gates", StringComparison.Ordinal) => "two write gates open",
        _ when violation.Contains("leases are live", StringComparison.Ordinal) => "two leases live",
        _ when violation.Contains("without a live lease", StringComparison.Ordinal) => "a write gate open without a lease",
        _ when violation.Contains("released while", StringComparison.Ordinal) => "a release while the gate was open",
        _ when violation.Contains("order of the output", StringComparison.Ordinal) => "the order of the output",
        _ when violation.Contains("term fell", StringComparison.Ordinal) || violation.Contains("under term", StringComparison.Ordinal) => "a term that fell",
        _ when violation.Contains("timeline", StringComparison.Ordinal) && violation.Contains("opened", StringComparison.Ordinal) => "a timeline opened that must not be",
        _ when violation.Contains("proxy", StringComparison.Ordinal) => "a proxy that leads elsewhere",
        _ => "no steady service after the faults",
    };

    private static IEnumerable<string> Names(string document) =>
        document.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Select(line => line.Split('|')[1].Trim());

    private static string Document([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../docs/MUTATIONS.md"));
}
