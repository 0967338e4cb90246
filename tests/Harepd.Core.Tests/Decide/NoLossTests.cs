using System.Collections.Immutable;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Xunit;

namespace Harepd.Core.Tests.Decide;

/// <summary>Whether a standby (a) may be promoted without loss, by what the last primary (b) waited for and how far another standby (c) received.</summary>
public sealed class NoLossTests
{
    private static readonly MemberId _other = new("c:1");
    private static readonly Membership _four = new("test", 1, [Samples.A, Samples.B, _other, Samples.W]);
    private static readonly Ballot _asked = Samples.BallotOf(9, Samples.A);
    private static readonly Instant _now = Samples.At(60_000);

    [Fact]
    public void The_only_one_that_was_waited_for_needs_nobody_else() =>
        Assert.Null(NoLoss.Doubt(Ask(), Note(new Synchrony(1, ["a:1"])), _asked));

    [Fact]
    public void All_were_waited_for_so_each_has_everything() =>
        Assert.Null(NoLoss.Doubt(Ask(), Note(new Synchrony(2, ["a:1", "c:1"])), _asked));

    [Theory]
    [InlineData(0x3000000UL, true)]
    [InlineData(0x2000000UL, true)]
    [InlineData(0x3000001UL, false)]
    public void Of_one_of_two_the_other_must_not_be_ahead(ulong position, bool isProven)
    {
        var doubt = NoLoss.Doubt(Ask(Other(position)), Note(new Synchrony(1, ["a:1", "c:1"])), _asked);

        Assert.Equal(isProven ? null : FailoverAnswer.Wait, doubt?.Answer);
    }

    public static TheoryData<string> Unusable => ["read before it was asked", "asked by another", "may have more", "another timeline", "another system", "a primary", "old"];

    [Theory]
    [MemberData(nameof(Unusable))]
    public void A_word_of_the_other_that_proves_nothing_does_not_count(string why)
    {
        var report = Other(0x3000000);
        report = why switch
        {
            "read before it was asked" => report with { SeenAfter = default },
            "asked by another" => report with { SeenAfter = Samples.BallotOf(9, Samples.B) },
            "may have more" => report with { HasReceived = false },
            "another timeline" => report with { Timeline = Samples.Second },
            "another system" => report with { System = new SystemId(1) },
            "a primary" => report with { InRecovery = false },
            _ => report with { Age = TimeSpan.FromSeconds(6) },
        };

        Assert.Equal(FailoverAnswer.Wait, NoLoss.Doubt(Ask(report), Note(new Synchrony(1, ["a:1", "c:1"])), _asked)?.Answer);
    }

    [Fact]
    public void Nothing_is_proven_by_a_primary_that_waited_for_nobody_or_for_others_or_did_not_say()
    {
        Assert.Contains("without waiting", No(Note(Synchrony.None)), StringComparison.Ordinal);
        Assert.Contains("but for 1 of c:1", No(Note(new Synchrony(1, ["c:1"]))), StringComparison.Ordinal);
        Assert.Contains("not known what", No(Note(null)), StringComparison.Ordinal);
        Assert.Contains("timeline 2@", No(Note(new Synchrony(1, ["a:1"])) with { Timeline = Samples.Second }), StringComparison.Ordinal);
        Assert.Contains("--accept-loss", No(Note(Synchrony.None)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_note_of_the_highest_ballot_counts_and_only_when_a_majority_knows_one()
    {
        var low = Note(new Synchrony(1, ["a:1"])) with { Ballot = Samples.BallotOf(1, Samples.B) };
        var high = Note(Synchrony.None) with { Ballot = Samples.BallotOf(2, Samples.B) };

        Assert.Same(high, NoLoss.Highest(Attempt((Samples.A, low), (Samples.W, high)), Samples.Three));
        Assert.Null(NoLoss.Highest(Attempt((Samples.W, high)), Samples.Three));
    }

    [Fact]
    public void Without_synchronousOnly_or_with_the_loss_accepted_it_does_not_matter()
    {
        var question = Ask() with { Note = Note(Synchrony.None) };

        Assert.Equal(FailoverAnswer.No, Failover.Judge(question).Answer);
        Assert.Equal(FailoverAnswer.Go, Failover.Judge(question with { AcceptsLoss = true }).Answer);
        Assert.Equal(FailoverAnswer.Go, Failover.Judge(question with { Policy = question.Policy with { SynchronousOnly = false } }).Answer);
        Assert.Equal(FailoverAnswer.Go, Failover.Judge(question with { Note = Note(new Synchrony(1, ["a:1"])) }).Answer);
        Assert.Equal(FailoverAnswer.No, Failover.Judge(question with { Note = null, Doubt = "a majority said so" }).Answer);
    }

    private static string No(SynchronyNote note)
    {
        var doubt = NoLoss.Doubt(Ask(), note, _asked);
        Assert.Equal(FailoverAnswer.No, doubt?.Answer);
        return doubt!.Value.Reason;
    }

    private static SynchronyNote Note(Synchrony? stated) => new(Samples.BallotOf(5, Samples.B), Samples.OneSystem, Samples.First, stated);

    private static LeaseAttempt Attempt(params (MemberId Voter, SynchronyNote Note)[] notes) => new()
    {
        Ballot = _asked,
        Phase = AttemptPhase.Prepare,
        IsRenewal = false,
        Began = _now,
        Deadline = _now,
        LastSent = _now,
        Notes = notes.ToImmutableSortedDictionary(pair => pair.Voter, pair => pair.Note),
    };

    private static NodeReport Other(ulong position) => Samples.Report(_other, 1) with
    {
        Health = ServerHealth.Running,
        InRecovery = true,
        HasReceived = true,
        System = Samples.OneSystem,
        Timeline = Samples.First,
        WriteLsn = new Lsn(position),
        SeenAfter = _asked,
    };

    private static FailoverQuestion Ask(NodeReport? other = null)
    {
        var last = Samples.Report(Samples.B, 1) with { Health = ServerHealth.Down, IsShut = true, Timeline = Samples.First, WriteLsn = new Lsn(0x3000000) };
        var view = ClusterView.Empty.Merge(last, _four, _now);
        view = other is null ? view : view.Merge(other, _four, _now);
        var silentAfter = TimeSpan.FromSeconds(1);
        return new FailoverQuestion
        {
            Now = _now,
            Self = Samples.A,
            NodeName = "a:1",
            Policy = new FailoverPolicy { Promoter = Promoter.Harepd, SynchronousOnly = true },
            Server = Samples.Standby(_now),
            View = view,
            Sightings = _four.Everyone.ToImmutableSortedDictionary(
                member => member,
                member => new Sighting(Sighting.Of(view.Reports.GetValueOrDefault(member), Samples.Start, _now, silentAfter, TimeSpan.FromSeconds(5)), _now)),
            Last = new LastPrimary(Samples.B, new Term(5), Samples.First, new Lsn(0x3000000)),
            IsLeaseFree = true,
            StreamSilence = TimeSpan.FromMilliseconds(500),
            SilentAfter = silentAfter,
            Freshness = TimeSpan.FromSeconds(5),
        };
    }
}
