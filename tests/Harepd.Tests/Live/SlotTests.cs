using Harepd.Control;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>
/// Three data nodes that stream by replication slots (<c>primary_slot_name</c>, as repmgr sets it with <c>use_replication_slots</c>): a standby cannot follow a server that has no slot for it, and a slot that
/// stays on a standby keeps its WAL for ever.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class SlotTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Standbys_that_stream_by_slots_find_them_at_each_new_primary()
    {
        await using var cluster = await LabCluster.StartAsync(new LabClusterOptions
        {
            Repmgr = new RepmgrOptions { ThreeDataNodes = true, Witness = false },
            Harepd = new()
            {
                Keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.minInterval"] = "0s", ["failover.rejoin"] = "auto" },
            },
        });
        var first = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(first);
        foreach (var node in cluster.Repmgr.DataNodes)
        {
            if (node != first)
            {
                await first.Server.ExecuteAsync($"SELECT pg_create_physical_replication_slot('{SlotOf(node)}')");
            }

            await node.Server.ExecuteAsync($"ALTER SYSTEM SET primary_slot_name = '{SlotOf(node)}'");
            await node.Server.ExecuteAsync("SELECT pg_reload_conf()");
        }

        await StreamAsync(cluster, first);

        // A planned move: the old primary and the other standby get their slots at the new one; the new one's own is dropped at the old.
        var second = cluster.Repmgr.DataNodes.First(node => node != first);
        var ended = await Orders.AskAsync(cluster, first, new ControlRequest("switchover", second.Name));
        Assert.True(ended is { Event: "ended", Subject: "Moved" }, $"{ended}\n{cluster.Describe()}");
        await StreamAsync(cluster, second);
        await DroppedAsync(cluster, second, at: first);

        // A failover, and the lost primary comes back.
        second.Server.KillPostmaster();
        await second.Server.WaitForEndAsync();
        var third = cluster.Repmgr.DataNodes.First(node => node != second);
        await Wait.UntilAsync(async () => (third = await cluster.PrimaryBesideAsync(second)) is not null, "a new primary", Long, detail: cluster.Describe);
        await second.Server.StartAsync();
        await StreamAsync(cluster, third!);
        await DroppedAsync(cluster, third!, at: second);
    }

    private static string SlotOf(RepmgrNode node) => $"slot_of_{node.Name}";

    /// <summary>Both others stream from the primary, each by its slot, and the daemons know it.</summary>
    private static async Task StreamAsync(LabCluster cluster, RepmgrNode primary)
    {
        var wanted = string.Join(",", cluster.Repmgr.DataNodes.Where(node => node != primary).Select(SlotOf).Order());
        await Wait.UntilAsync(async () => await SlotsAsync(primary, "WHERE active") == wanted, $"{wanted} to be used at {primary.Name}", Long, detail: cluster.Describe);
        await cluster.WaitForMoveAsync(primary);
    }

    private static Task DroppedAsync(LabCluster cluster, RepmgrNode primary, RepmgrNode at) => Wait.UntilAsync(
        async () => await SlotsAsync(at, "") is var slots && slots != "no answer" && !slots.Contains(SlotOf(primary), StringComparison.Ordinal),
        $"the slot of {primary.Name} at {at.Name} to be dropped",
        detail: cluster.Describe);

    private static async Task<string> SlotsAsync(RepmgrNode node, string where) =>
        await node.Server.TryScalarAsync<string>($"SELECT coalesce(string_agg(slot_name, ',' ORDER BY slot_name), '') FROM pg_replication_slots {where}") ?? "no answer";
}
