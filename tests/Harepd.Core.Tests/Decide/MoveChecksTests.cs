using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Xunit;

namespace Harepd.Core.Tests.Decide;

/// <summary>What stands in the way of a planned move, one reason a row.</summary>
public sealed class MoveChecksTests
{
    private static readonly NodeReport Good = Samples.Report(Samples.B, 1) with
    {
        Health = ServerHealth.Running,
        InRecovery = true,
        IsStreaming = true,
        IsPromotable = true,
        Timeline = Samples.First,
        System = Samples.OneSystem,
        WriteLsn = new Lsn(0x3000000),
        ReplayLsn = new Lsn(0x3000000),
        Address = "10.0.0.2",
        UpstreamHost = "10.0.0.1",
    };

    private static readonly MoveQuestion Question = new()
    {
        Now = Samples.Start,
        Self = Samples.A,
        To = "",
        Policy = new FailoverPolicy { Promoter = Promoter.Harepd },
        Server = Samples.Primary(Samples.Start),
        Held = new HeldLease(new Term(7), Samples.BallotOf(7, Samples.A), Samples.At(3000), Samples.At(2700), []) { Under = Samples.OnFirst },
        IsOpen = true,
        Running = "",
        View = View(Good),
        Freshness = TimeSpan.FromSeconds(5),
    };

    public static TheoryData<string, string> Problems() => new()
    {
        { "nothing", "" },
        { "another move", "a move to b is under way" },
        { "repmgr promotes", "failover.manager is not harepd" },
        { "no lease", "this node is not a primary" },
        { "gate not open", "this node is not a primary" },
        { "unknown node", "nothing was heard lately of a data node node_9" },
        { "old report", "no standby streams" },
        { "not promotable", "no standby streams" },
        { "named, not promotable", "may not be promoted now" },
        { "named, not streaming", "is no standby that streams" },
        { "other timeline", "is on timeline 2" },
        { "cascaded", "streams from 10.0.0.2, not from here" },
        { "lagging", "has not received 33554432 bytes, more than" },
        { "no note", "has no note of the last timeline" },
        { "voteless", "this node has no note of the last timeline" },
        { "slow to replay", "has not replayed 33554432 bytes, more than" },
    };

    [Theory]
    [MemberData(nameof(Problems))]
    public void Each_problem_is_named(string what, string problem)
    {
        var far = new Lsn(0x3000000 - (32 << 20));
        var named = Question with { To = Samples.B.Address };
        var question = what switch
        {
            "another move" => Question with { Running = "a move to b is under way" },
            "repmgr promotes" => Question with { Policy = new FailoverPolicy() },
            "no lease" => Question with { Held = null },
            "gate not open" => Question with { IsOpen = false },
            "unknown node" => Question with { To = "node_9" },
            "old report" => Question with { Now = Samples.At(6000) },
            "not promotable" => Question with { View = View(Good with { IsPromotable = false }) },
            "named, not promotable" => named with { View = View(Good with { IsPromotable = false }) },
            "named, not streaming" => named with { View = View(Good with { IsStreaming = false }) },
            "other timeline" => named with { View = View(Good with { Timeline = Samples.Second }) },
            "cascaded" => named with { View = View(Good with { UpstreamHost = "10.0.0.2" }) },
            "no note" => named with { View = View(Good with { Noted = default(DurableTimeline) }) },
            "voteless" => Question with { IsVoteless = true },
            "lagging" => named with { View = View(Good with { WriteLsn = far, ReplayLsn = far }) },
            "slow to replay" => named with { View = View(Good with { ReplayLsn = far }) },
            _ => Question,
        };

        var finding = MoveChecks.Judge(question);

        if (problem.Length == 0)
        {
            Assert.Empty(finding.Problems);
            Assert.Equal(Samples.B, finding.To?.Member);
        }
        else
        {
            Assert.Contains(problem, Assert.Single(finding.Problems), StringComparison.Ordinal);
        }
    }

    private static ClusterView View(NodeReport report) => ClusterView.Empty.Merge(report, Samples.Three, Samples.Start);
}
