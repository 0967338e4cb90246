using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Xunit;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Machine;

/// <summary>Which standby readers may use: bytes and time, a stream, and no coming and going.</summary>
public sealed class ReadsTests
{
    private static readonly NodeSettings Node = new()
    {
        Self = B,
        Membership = Three,
        NodeName = "b",
        AllowReads = true,
        MaxLagBytes = 1000,
        MaxLagTime = TimeSpan.FromSeconds(30),
        ReadsSettle = TimeSpan.FromSeconds(5),
    };

    private static readonly Lsn Here = new(0x3000000);

    private static ServerObservation Behind(double at, ulong bytes = 0, double seconds = 0) =>
        Standby(At(at)) with { WriteLsn = new Lsn(Here.Value + bytes), IsStreaming = true, ReplayDelay = TimeSpan.FromSeconds(seconds) };

    private static NodeState Begin() => NodeMachine.Create(Node, new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1, GateOnDisk = Gate.Fenced }, At(0));

    private static NodeState See(NodeState state, double at, ServerObservation server) =>
        NodeMachine.Step(state, Node, new Input.Observed(server with { At = At(at) }), At(at)).State;

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(500, 15, true)]
    [InlineData(501, 0, false)]
    [InlineData(0, 15.001, false)]
    public void A_standby_begins_to_serve_within_half_of_both_limits(ulong bytes, double seconds, bool isReadable) =>
        Assert.Equal(isReadable, See(Begin(), 1, Behind(1, bytes, seconds)).IsReadable);

    [Theory]
    [InlineData(1000, 30, true)]
    [InlineData(1001, 0, false)]
    [InlineData(0, 30.001, false)]
    public void A_standby_that_serves_goes_on_up_to_the_whole_of_either(ulong bytes, double seconds, bool isReadable) =>
        Assert.Equal(isReadable, See(See(Begin(), 1, Behind(1)), 2, Behind(2, bytes, seconds)).IsReadable);

    [Fact]
    public void A_standby_that_flaps_is_given_back_only_when_it_was_well_for_a_while()
    {
        var state = See(Begin(), 0, Behind(0));
        var changes = 0;
        for (var at = 1000; at <= 60_000; at += 1000)
        {
            var before = state.IsReadable;
            state = See(state, at, at % 4000 == 0 ? Behind(at, 5000) : Behind(at));
            changes += before == state.IsReadable ? 0 : 1;
        }

        Assert.Equal(1, changes);
        Assert.False(state.IsReadable);
        state = See(state, 64_999, Behind(0));
        Assert.False(state.IsReadable);
        Assert.True(See(state, 65_001, Behind(0)).IsReadable);
    }

    [Fact]
    public void Without_a_stream_the_age_of_the_data_grows_and_ends_reads()
    {
        var state = See(Begin(), 0, Behind(0));
        state = See(state, 1000, Behind(0) with { IsStreaming = false });
        Assert.True(state.IsReadable, "a moment without a stream is no age");
        state = See(state, 31_000, Behind(0) with { IsStreaming = false });
        Assert.True(state.IsReadable);

        Assert.False(See(state, 31_001, Behind(0) with { IsStreaming = false }).IsReadable);
    }

    [Fact]
    public void A_standby_without_a_stream_does_not_begin_to_serve() =>
        Assert.False(See(Begin(), 1, Behind(0) with { IsStreaming = false }).IsReadable);

    [Fact]
    public void What_the_holder_wrote_and_did_not_arrive_counts_as_lag()
    {
        var holder = Report(A, 1, Gate.ReadWrite, new Term(9)) with { InRecovery = false, WriteLsn = new Lsn(Here.Value + 1001) };
        var state = See(Begin(), 0, Behind(0));
        Assert.True(state.IsReadable);
        state = NodeMachine.Step(state, Node, new Input.Heard([holder]), At(10)).State;

        Assert.True(See(state, 5, Behind(0)).IsReadable, "a reading of before the report cannot know");
        Assert.False(See(state, 11, Behind(0)).IsReadable);
    }
}
