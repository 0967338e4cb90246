using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>A standby whose data is past mending is replaced by a copy of the primary's (<c>harepd reinit</c>).</summary>
[Collection(LiveTests.Name)]
public sealed class ReinitTests(LiveCluster live)
{
    [Fact]
    public async Task A_broken_standby_is_made_anew_and_streams()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        var refused = await cluster.DaemonOf(primary).RunAsync("reinit", "--force");
        Assert.Equal(69, refused.ExitCode);
        Assert.Contains("this node is the primary", refused.Output, StringComparison.Ordinal);

        var plan = await cluster.DaemonOf(standby).RunAsync("reinit");
        Assert.True(plan.Succeeded, plan.Output);
        Assert.Contains($"copy of {primary.Name}", plan.Output, StringComparison.Ordinal);
        Assert.True(await standby.Server.IsInRecoveryAsync());

        // Not a file of the server's own can be trusted any more; what the node is configured with stays.
        File.AppendAllText(Path.Combine(standby.Server.DataDirectory, "postgresql.conf"), "\n# this node's own\n");
        await standby.Server.StopAsync();
        Directory.Delete(Path.Combine(standby.Server.DataDirectory, "pg_xact"), recursive: true);
        var done = await cluster.DaemonOf(standby).RunAsync("reinit", "--force", "--keep-old");

        Assert.True(done.Succeeded, done.Output);
        await RepmgrCluster.WaitForStreamingAsync(standby.Server);
        await RepmgrCluster.WaitForCatchUpAsync(standby.Server, primary.Server);
        Assert.EndsWith("# this node's own\n", File.ReadAllText(Path.Combine(standby.Server.DataDirectory, "postgresql.conf")), StringComparison.Ordinal);
        Assert.NotEqual(Gate.ReadWrite, GateOnDisk.Of(standby.Server));
        Assert.False(Directory.Exists(standby.Server.DataDirectory + ".harepd-new"));
        Assert.False(Directory.Exists(Path.Combine(standby.Server.DataDirectory + ".harepd-old", "pg_xact")));

        var again = await cluster.DaemonOf(standby).RunAsync("reinit", "--force");
        Assert.Equal(75, again.ExitCode);
        Assert.Contains("remove it first", again.Output, StringComparison.Ordinal);
        Directory.Delete(standby.Server.DataDirectory + ".harepd-old", recursive: true);
        await cluster.WaitForServingAsync(primary);
    }
}
