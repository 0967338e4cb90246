using System.Globalization;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Live;

/// <summary>Clients pooled by session in a PgBouncer beside each data node, over everything that moves the primary.</summary>
[Collection(LiveTests.Name)]
public sealed class PgbouncerLiveTests(ITestOutputHelper output)
{
    // Who waits in PgBouncer is to be served, not to give up by itself.
    private static readonly WriterOptions Patient = new()
    {
        Clients = 2, Rate = 100, ConnectLimit = TimeSpan.FromSeconds(30), CommandLimit = TimeSpan.FromSeconds(30),
    };

    [Fact]
    public async Task Session_pooled_clients_follow_a_promotion_by_hand_and_a_killed_primary()
    {
        await using var cluster = await LabCluster.StartAsync(new LabClusterOptions { Pgbouncer = true });
        var (first, second) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await cluster.WaitForServingAsync(first);
        var pooled = cluster.Pgbouncers.Select((bouncer, index) => Writer.Start(bouncer.Address, bouncer.Port, index, Patient)).ToList();
        var direct = cluster.Repmgr.DataNodes.Select(node => Writer.Start(
            node.Server.Address, node.Server.Port, 10 + node.Id, new WriterOptions { Clients = 1, Rate = 50 })).ToList();
        await AwaitWritesAsync(first);

        await RepmgrCluster.WaitForCatchUpAsync(second.Server, first.Server);
        await first.Server.StopAsync();
        await RepmgrCluster.PromoteAsync(second);
        await AwaitWritesAsync(second);
        Tell("promotion by hand");

        await RepmgrCluster.RejoinAsync(first, second);
        second.Server.KillPostmaster();
        await RepmgrCluster.PromoteAsync(first);
        await AwaitWritesAsync(first);
        Tell("killed primary");
        await Task.WhenAll([.. pooled.Concat(direct).Select(writer => writer.StopAsync())]);

        List<WriteAttempt> all = [.. pooled.Concat(direct).SelectMany(writer => writer.Attempts)];
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(all));
        var lost = Analyser.Lost(all, await first.Server.WrittenIdsAsync());
        Assert.Empty(Analyser.LostThoughDelivered(all, lost, await PromotionWatch.TimelineEndsAsync(first.Server)));

        async Task AwaitWritesAsync(RepmgrNode node)
        {
            try
            {
                await Task.WhenAll(pooled.Select(writer => writer.FirstAfterAsync(LabClock.Now, server: node.Server)));
            }
            catch (LabException e)
            {
                throw new LabException($"{e.Message}\n{cluster.Describe()}", e);
            }
        }

        void Tell(string what)
        {
            foreach (var (writer, bouncer) in pooled.Zip(cluster.Pgbouncers))
            {
                var acknowledged = writer.Attempts.Where(attempt => attempt.IsAcknowledged).Select(attempt => attempt.End).Order().ToList();
                var gap = acknowledged.Zip(acknowledged.Skip(1), (left, right) => right - left).Max();
                var failed = writer.Attempts.Count(attempt => !attempt.IsAcknowledged);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}, {bouncer.Name}: longest gap so far {gap.TotalMilliseconds:0} ms, {failed} failed so far"));
            }
        }
    }
}
