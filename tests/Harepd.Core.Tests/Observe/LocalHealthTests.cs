using Harepd.Core.Observe;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Observe;

public sealed class LocalHealthTests
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    /// <summary>Health, in recovery, verdict in time, verdict after the grace. One row for each that the room can report.</summary>
    public static TheoryData<ServerHealth, bool?, Fitness, Fitness> Table => new()
    {
        { ServerHealth.Running, false, Fitness.Fit, Fitness.Fit },
        { ServerHealth.Running, true, Fitness.Unfit, Fitness.Unfit },
        { ServerHealth.Running, null, Fitness.Bearable, Fitness.Bearable },
        { ServerHealth.SlotsFull, false, Fitness.Bearable, Fitness.Bearable },
        { ServerHealth.SlotsFull, true, Fitness.Unfit, Fitness.Unfit },
        { ServerHealth.SlotsFull, null, Fitness.Bearable, Fitness.Bearable },
        { ServerHealth.Unknown, null, Fitness.Bearable, Fitness.Bearable },
        { ServerHealth.Starting, null, Fitness.Bearable, Fitness.Unfit },
        { ServerHealth.CannotWrite, false, Fitness.Bearable, Fitness.Unfit },
        { ServerHealth.Hung, null, Fitness.Unfit, Fitness.Unfit },
        { ServerHealth.StoppedCleanly, null, Fitness.Unfit, Fitness.Unfit },
        { ServerHealth.Down, null, Fitness.Unfit, Fitness.Unfit },
        { (ServerHealth)99, false, Fitness.Unfit, Fitness.Unfit },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Every_health_has_its_verdict_and_a_reason(ServerHealth health, bool? inRecovery, Fitness inTime, Fitness afterGrace)
    {
        var server = Server(health, inRecovery, At(0));

        var early = LocalHealth.Judge(server, At(0), Freshness, Grace, At(0) + Grace - TimeSpan.FromTicks(1));
        var late = LocalHealth.Judge(server, At(0), Freshness, Grace, At(0) + Grace);

        Assert.Equal((inTime, afterGrace), (early.Fitness, late.Fitness));
        Assert.NotEmpty(early.Reason);
    }

    [Fact]
    public void Every_health_is_in_the_table() =>
        Assert.Empty(Enum.GetValues<ServerHealth>().Except(Table.Select(row => (ServerHealth)((object?[])row)[0]!)));

    [Fact]
    public void A_trouble_without_a_beginning_is_not_borne() =>
        Assert.Equal(Fitness.Unfit, LocalHealth.Judge(Server(ServerHealth.Starting, null, At(0)), null, Freshness, Grace, At(0)).Fitness);

    [Fact]
    public void What_was_not_seen_lately_is_no_evidence_of_health()
    {
        var server = Primary(At(0));

        Assert.Equal(Fitness.Fit, LocalHealth.Judge(server, null, Freshness, Grace, At(0) + Freshness).Fitness);
        Assert.Equal(Fitness.Unfit, LocalHealth.Judge(server, null, Freshness, Grace, At(0) + Freshness + TimeSpan.FromTicks(1)).Fitness);
    }

    [Fact]
    public void Only_starting_and_unable_to_write_are_borne_for_a_while() =>
        Assert.Equal([ServerHealth.Starting, ServerHealth.CannotWrite], Enum.GetValues<ServerHealth>().Where(LocalHealth.IsTrouble));
}
