using System.Collections.Immutable;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Xunit;

namespace Harepd.Core.Tests.Decide;

/// <summary>Whether a standby (a) takes over from the last primary (b), with another standby (c) and a witness beside it.</summary>
public sealed class FailoverTests
{
    private static readonly MemberId _other = new("c:1");
    private static readonly Membership _four = new("test", 1, [Samples.A, Samples.B, _other, Samples.W]);
    private static readonly FailoverPolicy _policy = new() { Promoter = Promoter.Harepd, StopGrace = TimeSpan.FromSeconds(10) };
    private static readonly Instant _now = Samples.At(60_000);

    [Theory]
    [InlineData(ServerHealth.Down, null, true, FailoverAnswer.Go)]
    [InlineData(ServerHealth.Down, null, false, FailoverAnswer.Wait)]
    [InlineData(ServerHealth.Hung, null, true, FailoverAnswer.Go)]
    [InlineData(ServerHealth.CannotWrite, false, true, FailoverAnswer.Go)]
    [InlineData(ServerHealth.CannotWrite, false, false, FailoverAnswer.Wait)]
    [InlineData(ServerHealth.StoppedCleanly, null, true, FailoverAnswer.Wait)]
    [InlineData(ServerHealth.Starting, null, true, FailoverAnswer.Wait)]
    [InlineData(ServerHealth.Running, false, true, FailoverAnswer.Wait)]
    [InlineData(ServerHealth.Running, true, true, FailoverAnswer.Wait)]
    [InlineData(ServerHealth.SlotsFull, null, true, FailoverAnswer.Wait)]
    [InlineData(ServerHealth.Unknown, null, true, FailoverAnswer.Wait)]
    public void A_crash_or_a_sick_server_that_is_shut_is_replaced_at_once_all_else_is_waited_for(
        ServerHealth health, bool? inRecovery, bool isShut, FailoverAnswer expected) =>
        Assert.Equal(expected, Failover.Judge(Ask(Last(health, inRecovery, isShut))).Answer);

    [Theory]
    [InlineData(ServerHealth.StoppedCleanly, null, FailoverAnswer.Go)]
    [InlineData(ServerHealth.Starting, null, FailoverAnswer.Go)]
    [InlineData(ServerHealth.Running, false, FailoverAnswer.Go)]
    public void After_the_grace_a_shut_one_is_replaced(ServerHealth health, bool? inRecovery, FailoverAnswer expected) =>
        Assert.Equal(expected, Failover.Judge(Ask(Last(health, inRecovery, isShut: true), seenFor: _policy.StopGrace)).Answer);

    [Fact]
    public void A_primary_whose_gate_is_not_known_to_be_shut_is_never_replaced_while_its_daemon_speaks() =>
        Assert.Equal(FailoverAnswer.Wait, Failover.Judge(Ask(Last(ServerHealth.Down, null, isShut: false), seenFor: TimeSpan.FromDays(1))).Answer);

    [Fact]
    public void A_silent_one_is_replaced_once_the_lease_is_free()
    {
        var silent = Ask(Last(ServerHealth.Running, false, isShut: false) with { HeldTerm = new Term(5) }, heardAgo: TimeSpan.FromSeconds(30));

        Assert.Equal(FailoverAnswer.Go, Failover.Judge(silent).Answer);
        Assert.Equal(FailoverAnswer.Quiet, Failover.Judge(silent with { IsLeaseFree = false }).Answer);
    }

    [Fact]
    public void Told_to_let_it_restart_a_crash_is_waited_for()
    {
        var question = Ask(Last(ServerHealth.Down, null, isShut: true)) with { Policy = _policy with { RestartsFirst = true } };

        Assert.Equal(FailoverAnswer.Wait, Failover.Judge(question).Answer);
    }

    [Fact]
    public void A_stream_that_still_delivers_delays_and_one_that_is_quiet_does_not()
    {
        var question = Ask(Last(ServerHealth.Down, null, isShut: true));
        var streaming = question.Server with { IsStreaming = true, UpstreamHost = "10.0.0.2" };

        Assert.Equal(FailoverAnswer.Wait, Failover.Judge(question with { Server = streaming with { UpstreamSilence = TimeSpan.Zero } }).Answer);
        Assert.Equal(FailoverAnswer.Go, Failover.Judge(question with { Server = streaming with { UpstreamSilence = TimeSpan.FromSeconds(2) } }).Answer);
    }

    [Theory]
    [InlineData(0x3000000, 100, FailoverAnswer.Go)]
    [InlineData(0x3000001, 100, FailoverAnswer.Wait)]
    [InlineData(0x3000000, 101, FailoverAnswer.Wait)]
    [InlineData(0x2FFFFFF, 101, FailoverAnswer.Go)]
    public void The_most_advanced_standby_goes_first_then_priority_then_name(ulong received, int priority, FailoverAnswer expected)
    {
        var rival = Rival() with { WriteLsn = new Lsn(received), Priority = priority };

        Assert.Equal(expected, Failover.Judge(Ask(Last(ServerHealth.Down, null, isShut: true), rival)).Answer);
    }

    [Fact]
    public void A_better_standby_that_does_not_take_its_turn_is_overtaken()
    {
        var question = Ask(Last(ServerHealth.Down, null, isShut: true), Rival() with { Priority = 101 });

        Assert.Equal(FailoverAnswer.Wait, Failover.Judge(question with { OutrankedSince = _now - _policy.PromoteTimeout / 2 }).Answer);
        Assert.Equal(FailoverAnswer.Go, Failover.Judge(question with { OutrankedSince = _now - _policy.PromoteTimeout }).Answer);
    }

    [Fact]
    public void Nobody_is_promoted_who_must_not_be_or_who_lacks_too_much()
    {
        var question = Ask(Last(ServerHealth.Down, null, isShut: true));
        var far = question.Last! with { WriteLsn = new Lsn(question.Server.WriteLsn.Value + (ulong)_policy.MaxLagBytes + 1) };

        Assert.Equal(FailoverAnswer.No, Failover.Judge(question with { Policy = _policy with { IsCandidate = false } }).Answer);
        Assert.Equal(FailoverAnswer.No, Failover.Judge(question with { Last = null }).Answer);
        Assert.Equal(FailoverAnswer.No, Failover.Judge(question with { Last = far }).Answer);
        Assert.Equal(FailoverAnswer.No, Failover.Judge(question with { Last = far with { Timeline = Samples.Second, WriteLsn = default } }).Answer);
    }

    [Fact]
    public void Each_failover_within_the_window_doubles_the_wait_for_the_next_up_to_a_limit()
    {
        Assert.Equal(Instant.Zero, FlapGuard.NotBefore([], _policy, _now));
        Assert.Equal(_now + _policy.MinInterval, FlapGuard.NotBefore([_now], _policy, _now));
        Assert.Equal(_now + 4 * _policy.MinInterval, FlapGuard.NotBefore([_now, _now, _now], _policy, _now));
        Assert.Equal(_now + _policy.MaxInterval, FlapGuard.NotBefore([.. Enumerable.Repeat(_now, FlapGuard.Kept)], _policy, _now));
        Assert.Equal(Instant.Zero, FlapGuard.NotBefore([_now], _policy, _now + _policy.FlapWindow));
    }

    private static NodeReport Last(ServerHealth health, bool? inRecovery, bool isShut) => Samples.Report(Samples.B, 1) with
    {
        Health = health,
        InRecovery = inRecovery,
        IsShut = isShut,
        Timeline = Samples.First,
        WriteLsn = new Lsn(0x3000000),
        Address = "10.0.0.2",
    };

    private static NodeReport Rival() => Samples.Report(_other, 1) with
    {
        Health = ServerHealth.Running,
        InRecovery = true,
        IsPromotable = true,
        Priority = 100,
        Timeline = Samples.First,
        WriteLsn = new Lsn(0x3000000),
    };

    private static FailoverQuestion Ask(NodeReport last, NodeReport? rival = null, TimeSpan seenFor = default, TimeSpan heardAgo = default)
    {
        var view = ClusterView.Empty.Merge(last, _four, _now - heardAgo);
        view = rival is null ? view : view.Merge(rival, _four, _now);
        var silentAfter = TimeSpan.FromSeconds(1);
        return new FailoverQuestion
        {
            Now = _now,
            Self = Samples.A,
            NodeName = "a:1",
            Policy = _policy,
            Server = Samples.Standby(_now),
            View = view,
            Sightings = _four.Everyone.ToImmutableSortedDictionary(
                member => member,
                member => new Sighting(Sighting.Of(view.Reports.GetValueOrDefault(member), Samples.Start, _now, silentAfter, TimeSpan.FromSeconds(5)), _now - seenFor)),
            Last = new LastPrimary(Samples.B, new Term(5), Samples.First, new Lsn(0x3000000)),
            IsLeaseFree = true,
            StreamSilence = TimeSpan.FromMilliseconds(500),
            SilentAfter = silentAfter,
            Freshness = TimeSpan.FromSeconds(5),
        };
    }
}
