using Harepd.Core.Model;
using Harepd.Guard;
using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.Guard;

public sealed class GuardWatchTests
{
    private static readonly Instant Start = new(1_000_000_000_000);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(75);

    [Fact]
    public void It_fences_once_the_moment_and_the_patience_are_over_and_only_once_a_term()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var fenced = new List<Term>();
        var watch = new GuardWatch(page, (term, _) => Add(fenced, term), Patience, _ => true);
        page.Write(OrderOf(7, Start));

        watch.Turn(Start + TimeSpan.FromMilliseconds(74));
        Assert.Empty(fenced);

        watch.Turn(Start + Patience);
        watch.Turn(Start + TimeSpan.FromSeconds(5));

        Assert.Equal([new Term(7)], fenced);
        Assert.Equal(new Term(7), page.FencedTerm);
        Assert.Equal(Instant.Zero, page.FencingUntil);
    }

    [Fact]
    public void A_guard_that_leaves_takes_its_beat_with_it()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        page.Finish();

        new GuardWatch(page, (_, _) => true, Patience, _ => true).Run(CancellationToken.None);

        Assert.Equal(Instant.Zero, page.GuardBeat);
    }

    [Fact]
    public void It_tries_again_until_the_fence_is_confirmed()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var fenced = new List<Term>();
        var watch = new GuardWatch(page, (term, _) => Add(fenced, term) && fenced.Count == 2, Patience, _ => true);
        page.Write(OrderOf(7, Start));

        watch.Turn(Start + TimeSpan.FromSeconds(1));
        watch.Turn(Start + TimeSpan.FromSeconds(2));
        watch.Turn(Start + TimeSpan.FromSeconds(3));

        Assert.Equal(2, fenced.Count);
    }

    [Fact]
    public void A_fence_that_throws_is_one_that_was_not_confirmed()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var tries = 0;
        var watch = new GuardWatch(page, (_, _) => ++tries > 1 ? true : throw new IOException("the disk"), Patience, _ => true);
        page.Write(OrderOf(7, Start));

        watch.Turn(Start + Patience);
        Assert.Equal(Term.None, page.FencedTerm);
        Assert.Equal(Instant.Zero, page.FencingUntil);
        watch.Turn(Start + TimeSpan.FromSeconds(1));

        Assert.Equal(new Term(7), page.FencedTerm);
    }

    [Fact]
    public void It_says_that_it_fences_while_it_does_and_until_when()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var seen = Instant.Zero;
        var watch = new GuardWatch(
            page,
            (_, _) =>
            {
                seen = page.FencingUntil;
                return true;
            },
            Patience,
            _ => true);
        page.Write(OrderOf(7, Start));

        watch.Turn(Start + Patience);

        Assert.Equal(Start + TimeSpan.FromMilliseconds(300), seen);
    }

    [Fact]
    public void A_renewal_in_time_moves_the_moment()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var fenced = new List<Term>();
        var watch = new GuardWatch(page, (term, _) => Add(fenced, term), Patience, _ => true);
        page.Write(OrderOf(7, Start));
        watch.Turn(Start);

        page.Write(OrderOf(7, Start + TimeSpan.FromSeconds(1)));
        watch.Turn(Start + Patience);

        Assert.Empty(fenced);
    }

    [Fact]
    public void A_new_run_of_the_daemon_does_not_send_the_guard_away_from_the_gate_of_the_run_before()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var fenced = new List<Term>();
        var watch = new GuardWatch(page, (term, _) => Add(fenced, term), Patience, _ => true);
        using (GuardKeeper.BeginRun(folder.Path, daemonPid: 1, "this boot"))
        {
            page.Write(OrderOf(7, Start));
        }

        using var next = GuardKeeper.BeginRun(folder.Path, daemonPid: 2, "this boot");
        watch.Turn(Start + Patience);

        Assert.Equal([new Term(7)], fenced);
    }

    [Fact]
    public void An_order_of_before_the_last_boot_is_void()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardKeeper.BeginRun(folder.Path, daemonPid: 1, "the boot before");
        page.Write(OrderOf(7, Start));

        using var next = GuardKeeper.BeginRun(folder.Path, daemonPid: 2, "this boot");

        Assert.True(next.TryRead(out var order));
        Assert.False(order.IsArmed);
    }

    [Fact]
    public void A_renewal_of_the_fenced_term_that_was_on_its_way_arms_again()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var fenced = new List<Term>();
        var watch = new GuardWatch(page, (term, _) => Add(fenced, term), Patience, _ => true);
        page.Write(OrderOf(7, Start));
        watch.Turn(Start + Patience);
        Assert.True(page.HasShut);

        page.Write(OrderOf(7, Start + TimeSpan.FromSeconds(1)));
        Assert.False(page.HasShut);
        watch.Turn(Start + TimeSpan.FromSeconds(2));

        Assert.Equal([new Term(7), new Term(7)], fenced);
    }

    [Fact]
    public void A_guard_that_is_started_anew_does_not_fence_again_what_was_fenced()
    {
        using var folder = new TemporaryFolder();
        using var page = GuardPage.Open(folder.Path);
        var fenced = new List<Term>();
        page.Write(OrderOf(7, Start));
        new GuardWatch(page, (term, _) => Add(fenced, term), Patience, _ => true).Turn(Start + Patience);

        new GuardWatch(page, (term, _) => Add(fenced, term), Patience, _ => true).Turn(Start + Patience);

        Assert.Equal([new Term(7)], fenced);
    }

    private static GuardOrder OrderOf(long term, Instant fenceAt) => new(new Term(term), fenceAt, fenceAt + TimeSpan.FromMilliseconds(300));

    private static bool Add(List<Term> list, Term term)
    {
        list.Add(term);
        return true;
    }
}
