using Harepd.Core.Model;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Model;

public sealed class MembershipTests
{
    private static readonly MemberId X = new("x:1");

    [Fact]
    public void A_set_is_named_alike_whatever_order_it_was_written_in() =>
        Assert.Equal(Three.Stamp, new Membership("test", 1, [W, A, B, A]).Stamp);

    [Fact]
    public void Every_difference_changes_the_stamp()
    {
        var stamps = new[]
        {
            Three.Stamp,
            new Membership("other", 1, [A, B, W]).Stamp,
            new Membership("test", 2, [A, B, W]).Stamp,
            new Membership("test", 1, [A, B, X]).Stamp,
            new Membership("test", 1, [A, B]).Stamp,
            new Membership("test", 1, [A, B, W], [A, B]).Stamp,
            new Membership("test", 1, [A, B], [A, B, W]).Stamp,
        };

        Assert.Equal(stamps.Length, stamps.Distinct().Count());
    }

    [Fact]
    public void Only_a_strict_majority_is_one()
    {
        var two = new Membership("test", 1, [A, B]);

        Assert.False(two.IsMajority(new HashSet<MemberId> { A }));
        Assert.True(two.IsMajority(new HashSet<MemberId> { A, B }));
        Assert.False(Three.IsMajority(new HashSet<MemberId> { A }));
        Assert.True(Three.IsMajority(new HashSet<MemberId> { A, W }));
    }

    [Fact]
    public void Strangers_do_not_count() =>
        Assert.False(Three.IsMajority(new HashSet<MemberId> { A, X, new("y:1") }));

    [Fact]
    public void During_a_change_both_sets_must_agree()
    {
        var change = new Membership("test", 2, [A, B, X], [A, B, W]);

        Assert.True(change.IsMajority(new HashSet<MemberId> { A, B }));
        Assert.False(change.IsMajority(new HashSet<MemberId> { A, X }));
        Assert.False(change.IsMajority(new HashSet<MemberId> { B, W }));
        Assert.True(change.IsMajority(new HashSet<MemberId> { A, X, W }));
    }

    [Fact]
    public void Lost_means_that_the_rest_cannot_win_any_more()
    {
        Assert.False(Three.IsLost(new HashSet<MemberId> { A }));
        Assert.True(Three.IsLost(new HashSet<MemberId> { A, B }));
        Assert.True(new Membership("test", 1, [A, B]).IsLost(new HashSet<MemberId> { A }));
        Assert.True(new Membership("test", 2, [A, B, X], [A, W]).IsLost(new HashSet<MemberId> { W }));
    }

    [Fact]
    public void Won_and_lost_exclude_each_other_for_every_split()
    {
        MemberId[] all = [A, B, W, X, new("y:1")];
        for (var size = 1; size <= all.Length; size++)
        {
            var set = new Membership("test", 1, all.Take(size), all.Skip(1));
            for (var yes = 0; yes < 32; yes++)
            {
                var voters = all.Where((_, i) => (yes >> i & 1) == 1).ToHashSet();
                var others = all.Except(voters).ToHashSet();
                Assert.NotEqual(set.IsMajority(voters), set.IsLost(others));
            }
        }
    }

    [Fact]
    public void Impossible_sets_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new Membership("test", 0, [A]));
        Assert.Throws<ArgumentException>(() => new Membership("test", 1, []));
        Assert.Throws<ArgumentException>(() => new Membership("test", 1, Enumerable.Range(0, 16).Select(i => new MemberId($"{i}:1"))));
    }

    [Fact]
    public void Ballots_are_ordered_by_round_then_member_then_incarnation()
    {
        Ballot[] rising = [default, BallotOf(1, A, 1), BallotOf(1, A, 2), BallotOf(1, B, 1), BallotOf(2, A, 1)];

        Assert.Equal(rising, rising.Reverse().Order());
        Assert.True(rising[0] < rising[1] && rising[4] > rising[3] && rising[1] <= BallotOf(1, A, 1) && rising[1] >= BallotOf(1, A, 1));
        Assert.Equal(rising[4], Ballot.Max(rising[4], rising[1]));
    }

    [Fact]
    public void Ranks_follow_the_names()
    {
        Assert.Equal([0, 1, 2], new[] { A, B, W }.Select(Three.RankOf));
        Assert.Equal(0, Three.RankOf(X));
    }
}
