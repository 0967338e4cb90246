using Harepd.Control;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>
/// What can go wrong around a planned move, one after the other on one cluster: each ends with a served cluster, either server being its primary, with the reason told and nothing
/// acknowledged lost.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class MoveTroubleTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Whatever_goes_wrong_with_a_move_ends_in_a_served_cluster()
    {
        await using var cluster = await LabCluster.StartAsync(new LabClusterOptions
        {
            Harepd = new()
            {
                Keys = new Dictionary<string, string?>
                {
                    ["failover.manager"] = "harepd", ["failover.rejoin"] = "auto", ["failover.minInterval"] = "0s", ["failover.promoteTimeout"] = "3s",
                },
            },
        });
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        primary = await RunAsync(cluster, primary, "witness gone", MoveOutcome.Moved, WitnessGoneAsync);
        primary = await RunAsync(cluster, primary, "HAProxy gone", MoveOutcome.Moved, HaproxyGoneAsync);
        primary = await RunAsync(cluster, primary, "a second order while it runs", MoveOutcome.Moved, SecondOrderAsync);
        primary = await RunAsync(cluster, primary, "the old primary does not stop", MoveOutcome.TakenBack, ServerDoesNotStopAsync);
        primary = await RunAsync(cluster, primary, "the candidate dies when it is to take over", MoveOutcome.TakenBack, CandidateDiesAsync);
        await RunAsync(cluster, primary, "the candidate is promoted too late", MoveOutcome.TakenBack, CandidateHangsAsync, comesBack: false);
    }

    private static async Task<ControlAnswer> WitnessGoneAsync(LabCluster cluster, RepmgrNode old)
    {
        await cluster.WitnessDaemon.KillAsync();
        var ended = await MoveAsync(cluster, old);
        cluster.WitnessDaemon.Start();
        return ended;
    }

    private static async Task<ControlAnswer> HaproxyGoneAsync(LabCluster cluster, RepmgrNode old)
    {
        await cluster.Haproxy.StopAsync();
        var ended = await MoveAsync(cluster, old);
        await cluster.Haproxy.StartAsync();
        return ended;
    }

    private static async Task<ControlAnswer> SecondOrderAsync(LabCluster cluster, RepmgrNode old)
    {
        var others = new List<Task<ControlAnswer>>();
        var ended = await MoveAsync(cluster, old, answer =>
        {
            if (answer is { Event: "begin", Subject: "Stop" })
            {
                others.AddRange(new[] { "switchover", "restart" }.Select(verb => Orders.AskAsync(cluster, old, new ControlRequest(verb))));
            }
        });
        Assert.All(await Task.WhenAll(others), other => Assert.True(other is { Event: "ended", Subject: "Refused" }, other.ToString()));
        Assert.Equal(2, others.Count);
        Assert.Matches("is under way: (Stop|HandOver|TakeOver|Rejoin)", cluster.DaemonOf(old).Log);
        return ended;
    }

    /// <summary>Its checkpointer stands still, so the last checkpoint does not come: the server is stopped at once, and started again under its lease.</summary>
    private static async Task<ControlAnswer> ServerDoesNotStopAsync(LabCluster cluster, RepmgrNode old)
    {
        var checkpointer = await ProcessAsync(old, "checkpointer");
        return await MoveAsync(cluster, old, answer => _ = answer is { Event: "done", Subject: "Prepare" } && checkpointer.Send(Signal.Stop));
    }

    private static async Task<ControlAnswer> CandidateDiesAsync(LabCluster cluster, RepmgrNode old)
    {
        var candidate = cluster.OtherThan(old);

        // It receives everything, but replays nothing more, so that it cannot have been promoted yet when it dies.
        var startup = await ProcessAsync(candidate, "startup");
        var ended = await MoveAsync(cluster, old, answer =>
        {
            _ = answer is { Event: "done", Subject: "Prepare" } && startup.Send(Signal.Stop);
            if (answer is { Event: "begin", Subject: "TakeOver" })
            {
                candidate.Server.KillPostmaster();
                startup.Send(Signal.Kill);
            }
        });
        await candidate.Server.WaitForEndAsync();
        await candidate.Server.StartAsync();
        return ended;
    }

    /// <summary>The order to promote waits in the server when it goes on: it is a second primary then, on a later timeline. It stays shut until an operator makes it anew.</summary>
    private static async Task<ControlAnswer> CandidateHangsAsync(LabCluster cluster, RepmgrNode old)
    {
        var candidate = cluster.OtherThan(old);
        var startup = await ProcessAsync(candidate, "startup");
        var ended = await MoveAsync(cluster, old, answer => _ = answer is { Event: "done", Subject: "Prepare" } && startup.Send(Signal.Stop));
        startup.Send(Signal.Continue);
        await Wait.UntilAsync(() => cluster.DaemonOf(candidate).Log.Contains("RogueSeen", StringComparison.Ordinal), $"{candidate.Name} to be seen as a second primary", detail: cluster.Describe);
        await Wait.UntilAsync(async () => await candidate.Server.IsInRecoveryAsync() == false, $"{candidate.Name} to be a primary", detail: cluster.Describe);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(candidate.Server));
        return ended;
    }

    private async Task<RepmgrNode> RunAsync(
        LabCluster cluster, RepmgrNode old, string trouble, MoveOutcome outcome, Func<LabCluster, RepmgrNode, Task<ControlAnswer>> runAsync, bool comesBack = true)
    {
        var other = cluster.OtherThan(old);
        await RepmgrCluster.WaitForCatchUpAsync(other.Server, old.Server);
        await cluster.WaitForMoveAsync(old);
        await using var writers = await Writers.StartAsync(cluster);
        var ended = await runAsync(cluster, old);
        output.WriteLine($"{trouble}: {ended.Subject}, clients waited {ended.PauseMs:F0} ms; {ended.Detail}");
        Assert.True(ended.Event == "ended" && ended.Subject == outcome.ToString(), $"{trouble}: {ended}\n{cluster.Describe()}");
        var primary = outcome == MoveOutcome.Moved ? other : old;
        var standby = cluster.OtherThan(primary);
        await writers.WaitForWriteAsync(primary, afterSeconds: 1);
        await Wait.UntilAsync(
            async () => (!comesBack || await standby.Server.TryScalarAsync<long>("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == 1)
                && GateOnDisk.Of(primary.Server) == Gate.ReadWrite && GateOnDisk.Of(standby.Server) != Gate.ReadWrite,
            $"{standby.Name} to {(comesBack ? "stream" : "stay shut")}: {trouble}",
            Long,
            detail: cluster.Describe);
        await writers.StopAsync();
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writers.All));
        Assert.Empty(Analyser.Lost(writers.All, await primary.Server.WrittenIdsAsync()));
        await cluster.WaitForServingAsync(primary);
        return primary;
    }

    private static Task<ControlAnswer> MoveAsync(LabCluster cluster, RepmgrNode old, Action<ControlAnswer>? told = null) =>
        Orders.AskAsync(cluster, old, new ControlRequest("switchover", PauseMs: 6000), answer =>
        {
            told?.Invoke(answer);
            return Task.CompletedTask;
        });

    private static async Task<ProcessIdentity> ProcessAsync(RepmgrNode node, string type) =>
        ProcessIdentity.Of(await node.Server.ScalarAsync<int>($"SELECT pid FROM pg_stat_activity WHERE backend_type = '{type}'"))!.Value;
}
