using System.Globalization;
using System.Text.Json;
using Harepd.Lab;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>A standby that lacks something of the lost primary serves its readers and waits for an operator (<c>failover.onPossibleLoss: readOnly</c>).</summary>
[Collection(LiveTests.Name)]
public sealed class FailoverByHandTests
{
    [Fact]
    public async Task A_standby_that_lacks_something_takes_over_when_an_operator_accepts_the_loss()
    {
        var options = new LabClusterOptions
        {
            Harepd = new() { Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.onPossibleLoss"] = "readOnly", ["failover.startCrashed"] = "false" } },
        };
        await using var cluster = await LabCluster.StartAsync(options);
        var (primary, standby) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await cluster.WaitForServingAsync(primary);
        await using var writers = await Writers.StartAsync(cluster);
        await RepmgrCluster.WaitForCatchUpAsync(standby.Server, primary.Server);
        await cluster.WaitForKnownAsync(standby, primary);
        var refused = await cluster.DaemonOf(standby).RunAsync("failover", "--accept-loss");
        Assert.Equal(75, refused.ExitCode);
        Assert.Contains("holds the lease", refused.Output, StringComparison.Ordinal);
        Assert.Equal(75, (await cluster.DaemonOf(standby).RunAsync("failover", "--to", primary.Name)).ExitCode);

        await LoseAsync(cluster, primary, standby, writers);
        await Wait.UntilAsync(
            async () => (await StatusOfAsync(cluster, standby)).Contains("harepd accept-loss", StringComparison.Ordinal),
            "the standby to say what it waits for",
            detail: cluster.Describe);
        var possible = await cluster.DaemonOf(standby).RunAsync("failover", "--dry-run");
        Assert.Equal(75, possible.ExitCode);
        Assert.Contains("bytes are lacking", possible.Output, StringComparison.Ordinal);
        var lacking = await DataLossAsync(cluster, standby);
        Assert.Contains(lacking.GetProperty("servers").EnumerateArray(), server =>
            server.GetProperty("node").GetString() == standby.Name && server.GetProperty("lacks_bytes").GetInt64() > 0);
        Assert.Equal(0, lacking.GetProperty("records").GetArrayLength());
        Assert.True(await standby.Server.IsInRecoveryAsync());
        await Wait.UntilAsync(
            async () => (await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.ReadBackend)).SequenceEqual([standby.Name]),
            "readers to be served by the standby that waits",
            detail: cluster.Describe);

        var accepted = await cluster.DaemonOf(standby).RunAsync("accept-loss");
        Assert.True(accepted.Succeeded, accepted.Output);
        await writers.WaitForWriteAsync(standby);
        var known = await DataLossAsync(cluster, standby);
        Assert.Contains(known.GetProperty("records").EnumerateArray(), record => record.GetProperty("kind").GetString() == "PossibleLoss");
        Assert.Contains(known.GetProperty("records").EnumerateArray(), record => record.GetProperty("actor").GetString() == "operator");
    }

    /// <summary>The standby receives nothing for a while and hears how far the primary wrote; then the primary's host is gone.</summary>
    private static async Task LoseAsync(LabCluster cluster, RepmgrNode primary, RepmgrNode standby, Writers writers)
    {
        var pid = int.Parse((await standby.Server.ScalarAsync<string>("SELECT pid::text FROM pg_stat_wal_receiver"))!, CultureInfo.InvariantCulture);
        var receiver = ProcessIdentity.Of(pid)!.Value;
        receiver.Send(Signal.Stop);
        await writers.WaitForWriteAsync(primary, afterSeconds: 2);
        await cluster.DaemonOf(primary).KillAsync();
        primary.Server.KillPostmaster();
        await primary.Server.WaitForEndAsync();
        // It ends before it reads what still lies in its socket.
        receiver.Send(Signal.Terminate);
        receiver.Send(Signal.Continue);
    }

    private static async Task<string> StatusOfAsync(LabCluster cluster, RepmgrNode node) => (await cluster.DaemonOf(node).RunAsync("status", "--json")).Output;

    private static async Task<JsonElement> DataLossAsync(LabCluster cluster, RepmgrNode node)
    {
        var answer = await cluster.DaemonOf(node).RunAsync("dataloss", "--json");
        Assert.True(answer.Succeeded, answer.Output);
        return JsonDocument.Parse(answer.Output).RootElement;
    }
}
