using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>The lab itself, without the daemon: what it builds is real, and nothing of it stays behind.</summary>
[Collection(LiveTests.Name)]
public sealed class LabTests
{
    [Fact]
    public async Task Writers_follow_a_promotion_through_haproxy_and_nothing_acknowledged_is_lost()
    {
        await using var lab = LabFolder.Create();
        var cluster = await RepmgrCluster.CreateAsync(lab);
        var (first, second) = (cluster.Node1, cluster.Node2);
        var haproxy = new HaproxyServer(lab, lab.Addresses[9], [first.Server, second.Server]);
        await haproxy.StartAsync();
        await haproxy.CommandAsync("set server pg_write/node_1 state ready");
        await using var writer = Writer.Start(haproxy.Address, haproxy.WritePort);
        await writer.FirstAfterAsync(LabClock.Now);

        await haproxy.CommandAsync("set server pg_write/node_1 state maint; shutdown sessions server pg_write/node_1");
        await first.Server.StopAsync();
        var promotion = await RepmgrCluster.PromoteAsync(second);
        await haproxy.CommandAsync("set server pg_write/node_2 state ready");
        await writer.FirstAfterAsync(LabClock.Now);
        await RepmgrCluster.RejoinAsync(first, second);
        await writer.StopAsync();

        Assert.True(promotion.Succeeded, promotion.Output);
        Assert.Empty(Analyser.Lost(writer.Attempts, await second.Server.WrittenIdsAsync()));
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(writer.Attempts));
        Assert.True(await first.Server.IsInRecoveryAsync());
    }

    [Fact]
    public async Task Nothing_of_a_lab_is_left_after_its_end_not_even_a_daemonised_server()
    {
        string root;
        ProcessIdentity postmaster;
        await using (var lab = LabFolder.Create())
        {
            root = lab.Root;
            var server = new PostgresServer(lab, "alone", lab.Addresses[1]);
            await server.InitAsync();
            await server.StartAsync();
            postmaster = server.Postmaster!.Value;
        }

        Assert.False(postmaster.IsAlive);
        Assert.False(Directory.Exists(root));
    }
}
