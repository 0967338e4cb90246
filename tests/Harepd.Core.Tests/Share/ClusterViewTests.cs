using FsCheck;
using FsCheck.Fluent;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Share;

public sealed class ClusterViewTests
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    /// <summary>Reports as members make them: one (member, version, run) is always one and the same statement.</summary>
    private static readonly Arbitrary<NodeReport[]> Many = (
        from member in Gen.Elements(A, B, W, new MemberId("x:1"))
        from version in Gen.Choose(1, 6)
        from run in Gen.Choose(1, 3)
        from age in Gen.Choose(-1, 3)
        select Report(member, version, (Gate)(version % 3), new Term(run * 10 + version), (ulong)run) with { Age = TimeSpan.FromSeconds(age) })
        .ArrayOf().ToArbitrary();

    private static ClusterView Merge(ClusterView view, IEnumerable<NodeReport> reports) =>
        reports.Aggregate(view, (merged, report) => merged.Merge(report, Three, At(0)));

    /// <summary>What is known, without this node's own note of when it was heard.</summary>
    private static IEnumerable<NodeReport> Known(ClusterView view) => view.Reports.Values.Select(seen => seen.Report with { Age = default });

    private static ClusterView Of(params IEnumerable<NodeReport> reports) => Merge(ClusterView.Empty, reports);

    [Fact]
    public void Merging_is_commutative() => Prop.ForAll(Many, Many, (left, right) =>
        Known(Of([.. left, .. right])).SequenceEqual(Known(Of([.. right, .. left])))).QuickCheckThrowOnFailure();

    [Fact]
    public void Merging_is_associative() => Prop.ForAll(Many, Many, Many, (left, middle, right) =>
        Known(Merge(Merge(Of(left), Known(Of(middle))), right))
            .SequenceEqual(Known(Merge(Of(left), Known(Merge(Of(middle), right)))))).QuickCheckThrowOnFailure();

    [Fact]
    public void Merging_is_idempotent() => Prop.ForAll(Many, reports =>
    {
        var once = Of(reports);
        return ReferenceEquals(once, Merge(once, reports));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_view_is_bounded_by_the_membership() => Prop.ForAll(Many, reports =>
        Of(reports).Reports.Keys.All(Three.Everyone.Contains)).QuickCheckThrowOnFailure();

    [Fact]
    public void The_higher_version_counts_and_among_equals_the_higher_run()
    {
        var old = Report(A, 1, Gate.ReadWrite, run: 9);
        var fresh = Report(A, 2, Gate.Fenced, run: 1);

        Assert.Equal(fresh, Of(fresh, old).Reports[A].Report);
        Assert.Equal(Report(A, 2, run: 3), Of(Report(A, 2, run: 3), Report(A, 2, run: 2)).Reports[A].Report);
    }

    [Fact]
    public void A_report_is_as_old_as_it_says_plus_the_time_since_it_was_heard()
    {
        var view = Of(Report(A, 1) with { Age = TimeSpan.FromSeconds(2) });

        Assert.NotNull(view.FreshReportOf(A, At(3000), Freshness));
        Assert.Null(view.FreshReportOf(A, At(3001), Freshness));
        Assert.Null(view.FreshReportOf(B, At(0), Freshness));
        Assert.Equal(TimeSpan.FromSeconds(5), Assert.Single(view.ToTell(At(3000))).Age);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void An_absurd_age_is_borne(long ticks)
    {
        var view = Of(Report(A, 1) with { Age = new TimeSpan(ticks) });

        Assert.Equal(ticks < 0, view.FreshReportOf(A, At(0), Freshness) is not null);
        Assert.Single(view.ToTell(At(1000)));
    }

    [Fact]
    public void The_lease_is_in_doubt_unless_somebody_alive_says_that_he_holds_it()
    {
        var holder = Report(A, 1, Gate.ReadWrite, new Term(7)) with { Health = ServerHealth.Running };

        Assert.True(Suspicion.IsLeaseInDoubt(ClusterView.Empty, At(0), Freshness));
        Assert.True(Suspicion.IsLeaseInDoubt(Of(Report(A, 1)), At(0), Freshness));
        Assert.False(Suspicion.IsLeaseInDoubt(Of(holder), At(0), Freshness));
        Assert.True(Suspicion.IsLeaseInDoubt(Of(holder), At(5001), Freshness));
        foreach (var health in new[] { ServerHealth.Down, ServerHealth.StoppedCleanly, ServerHealth.Hung })
        {
            Assert.True(Suspicion.IsLeaseInDoubt(Of(holder with { Health = health }), At(0), Freshness));
        }
    }

    [Fact]
    public void Writable_members_are_those_that_freshly_say_so()
    {
        var writable = Report(A, 1) with { Health = ServerHealth.Running, InRecovery = false };
        var standby = Report(B, 1) with { Health = ServerHealth.Running, InRecovery = true };

        Assert.Equal([writable], Suspicion.Writable(Of(writable, standby), At(0), Freshness));
        Assert.Empty(Suspicion.Writable(Of(writable, standby), At(5001), Freshness));
    }
}
