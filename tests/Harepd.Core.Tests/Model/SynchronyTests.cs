using Harepd.Core.Model;
using Xunit;

namespace Harepd.Core.Tests.Model;

/// <summary>Which promise keeps which other one, checked against every set of servers that may have a commit.</summary>
public sealed class SynchronyTests
{
    private static readonly string[] _names = ["a", "b", "c"];

    [Fact]
    public void None_is_what_names_nobody_or_waits_for_none()
    {
        Assert.Equal(Synchrony.None, new Synchrony(0, ["a"]));
        Assert.Equal(Synchrony.None, new Synchrony(2, []));
        Assert.True(Synchrony.None.IsNone);
    }

    [Fact]
    public void Names_are_compared_without_regard_to_case_and_order()
    {
        Assert.Equal(new Synchrony(1, ["A", "b"]), new Synchrony(1, ["B", "a"]));
        Assert.Equal(new Synchrony(1, ["A", "b"]).GetHashCode(), new Synchrony(1, ["B", "a"]).GetHashCode());
        Assert.NotEqual(new Synchrony(1, ["a", "b"]), new Synchrony(2, ["a", "b"]));
        Assert.True(new Synchrony(1, ["Node_2"]).Has("NODE_2"));
    }

    [Fact]
    public void What_implies_another_is_kept_by_every_set_that_keeps_it()
    {
        foreach (var left in All())
        {
            foreach (var right in All())
            {
                Assert.Equal(Sets().All(set => !Keeps(left, set) || Keeps(right, set)), left.Implies(right) || !Sets().Any(set => Keeps(left, set)));
            }
        }
    }

    [Fact]
    public void The_weaker_of_two_is_kept_by_whoever_keeps_either()
    {
        foreach (var left in All())
        {
            foreach (var right in All())
            {
                var weaker = Synchrony.Weaker(left, right);
                Assert.True(left.Implies(weaker) && right.Implies(weaker), $"{left} and {right} give {weaker}");
                Assert.Equal(weaker, Synchrony.Weaker(right, left));
            }
        }
    }

    [Fact]
    public void One_of_any_n_minus_k_plus_one_has_what_was_acknowledged()
    {
        foreach (var synchrony in All().Where(synchrony => !synchrony.IsNone))
        {
            foreach (var set in Sets().Where(set => Keeps(synchrony, set)))
            {
                foreach (var asked in Sets().Where(asked => asked.Count(synchrony.Has) >= synchrony.Enough))
                {
                    Assert.True(asked.Intersect(set).Any());
                }
            }
        }
    }

    [Fact]
    public void A_primary_that_names_itself_can_never_answer_itself() =>
        Assert.Equal(new Synchrony(1, ["b"]), new Synchrony(1, ["a", "b"]).Without("A"));

    private static IEnumerable<Synchrony> All() => Sets().SelectMany(set => Enumerable.Range(0, set.Count + 1).Select(count => new Synchrony(count, set))).Distinct();

    private static List<List<string>> Sets() => [.. Enumerable.Range(0, 8).Select(bits => _names.Where((_, i) => (bits >> i & 1) == 1).ToList())];

    private static bool Keeps(Synchrony synchrony, List<string> set) => set.Count(synchrony.Has) >= synchrony.Count;
}
