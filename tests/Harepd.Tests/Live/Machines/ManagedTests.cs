using System.Globalization;
using Harepd.Control;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>
/// harepd as the failover manager (no repmgrd) on machines of their own: two data nodes with a witness, and three data nodes. Every server is the
/// primary in turn; what comes back rejoins by itself. <c>HAREPD_ROUNDS</c> repeats each fault, for figures (HAREPD_MANAGED_FIGURES),
/// and <c>HAREPD_FAULTS</c> names those wanted.
/// </summary>
[Collection(MachineTests.Name)]
public sealed class ManagedTests
{
    private static readonly string[] Faults = (Environment.GetEnvironmentVariable("HAREPD_FAULTS") ?? "move,crash,host,cut,astray").Split(',');

    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("HAREPD_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 1;

    [NetworkFact]
    public Task Two_data_nodes_and_a_witness_look_after_themselves() => RunAsync(threeDataNodes: false, isLossless: false);

    [NetworkFact]
    public Task Three_data_nodes_look_after_themselves() => RunAsync(threeDataNodes: true, isLossless: false);

    [NetworkFact]
    public Task Two_data_nodes_and_a_witness_lose_nothing_where_commits_wait() => RunAsync(threeDataNodes: false, isLossless: true);

    /// <summary>Commits wait for any one of two standbys: whoever takes over must first hear that the other has no more.</summary>
    [NetworkFact]
    public Task Three_data_nodes_lose_nothing_where_commits_wait() => RunAsync(threeDataNodes: true, isLossless: true);

    private static async Task RunAsync(bool threeDataNodes, bool isLossless)
    {
        // Faults follow each other faster than servers may fail.
        var keys = new Dictionary<string, string?> { ["failover.manager"] = "harepd", ["failover.minInterval"] = "0s", ["failover.rejoin"] = "auto" };
        if (isLossless)
        {
            keys["failover.synchronousOnly"] = "true";
            keys["failover.synchronous"] = "managed";
            keys["failover.synchronousDegradeAfter"] = "3s";
        }

        await using var cluster = await LabCluster.StartAsync(new LabClusterOptions
        {
            Network = true,
            Repmgr = new RepmgrOptions { ThreeDataNodes = threeDataNodes, Witness = false },
            Harepd = new() { Keys = keys, HasUnitsPrecedence = true },
        });
        var primary = cluster.Repmgr.Node1;
        await cluster.WaitForServingAsync(primary);
        foreach (var fault in Enumerable.Repeat(Faults, Rounds).SelectMany(faults => faults))
        {
            primary = fault switch
            {
                "move" => await MoveAsync(cluster, primary, isLossless),
                "crash" => await CrashAsync(cluster, primary, isLossless),
                "host" => await LoseHostAsync(cluster, primary, isLossless),
                "cut" => await CutOffAsync(cluster, primary, isLossless),
                // Where loss is out of the question nobody takes over while a standby of two cannot be asked.
                "astray" => threeDataNodes && !isLossless ? await LeadAstrayAsync(cluster, primary) : primary,
                _ => throw new InvalidOperationException($"HAREPD_FAULTS: there is no fault {fault}"),
            };
        }

        // What a daemon started has not its precedence.
        Assert.All(cluster.Repmgr.DataNodes, node => Assert.Equal(0, node.Server.Postmaster!.Value.Nice));
    }

    private static async Task<RepmgrNode> MoveAsync(LabCluster cluster, RepmgrNode old, bool isLossless)
    {
        await cluster.WaitForMoveAsync(old);
        await using var run = await ManagedRun.StartAsync("planned move", cluster, old, isLossless);
        await run.LetVisitorsComeAsync();
        var held = Instant.Forever;
        run.Strike();
        var ended = await Orders.AskAsync(cluster, old, new ControlRequest("switchover"), answer =>
        {
            held = answer is { Event: "done", Subject: "Hold" } ? LabClock.Now : held;
            return Task.CompletedTask;
        });

        Assert.True(ended is { Event: "ended", Subject: "Moved" }, $"{ended}\n{cluster.Describe()}");
        var next = await run.EndAsync(mayLose: false);
        Assert.Empty(run.ErrorsOfVisitorsAfter(held));
        return next;
    }

    private static async Task<RepmgrNode> CrashAsync(LabCluster cluster, RepmgrNode old, bool isLossless)
    {
        await using var run = await ManagedRun.StartAsync("postmaster killed", cluster, old, isLossless);
        run.Strike();
        old.Server.KillPostmaster();
        await run.WaitForSuccessorAsync();

        // Its daemon starts it again.
        return await run.EndAsync(mayLose: true);
    }

    /// <summary>
    /// The daemon of a standby sleeps through a failover: the old primary comes back, and what it sends that standby is no part of the new timeline. Awake again, the
    /// daemon has it rewound.
    /// </summary>
    private static async Task<RepmgrNode> LeadAstrayAsync(LabCluster cluster, RepmgrNode old)
    {
        await using var run = await ManagedRun.StartAsync("standby led astray by the old primary", cluster, old, isLossless: false);
        var sleeper = cluster.Repmgr.DataNodes.Last(node => node != old);
        cluster.DaemonOf(sleeper).Freeze();
        run.Strike();
        old.Server.KillPostmaster();
        await run.WaitForSuccessorAsync();
        await old.Server.WaitForEndAsync();
        await old.Server.StartAsync();
        await cluster.WaitForStreamingAsync(sleeper, old);
        cluster.DaemonOf(sleeper).Thaw();
        return await run.EndAsync(mayLose: true);
    }

    private static async Task<RepmgrNode> LoseHostAsync(LabCluster cluster, RepmgrNode old, bool isLossless)
    {
        await using var run = await ManagedRun.StartAsync("host lost", cluster, old, isLossless);
        var machine = cluster.Lab.Network![old.Name];
        await cluster.Lab.Network.IsolateAsync(machine);
        run.Strike();
        await machine.KillAllAsync();
        await run.WaitForSuccessorAsync();

        // As systemd orders a boot: the gate is shut on disk, then PostgreSQL starts, then the daemon.
        cluster.ForgetMemory(old);
        await cluster.Lab.Network.HealAsync();
        var fence = await cluster.DaemonOf(old).RunAsync("fence");
        Assert.True(fence.Succeeded, fence.Output);
        await old.Server.WaitForEndAsync();
        await old.Server.StartAsync();
        cluster.DaemonOf(old).Start();
        return await run.EndAsync(mayLose: true);
    }

    private static async Task<RepmgrNode> CutOffAsync(LabCluster cluster, RepmgrNode old, bool isLossless)
    {
        await using var run = await ManagedRun.StartAsync("cut off with its clients", cluster, old, isLossless);
        await cluster.Lab.Network!.CutAsync(run.Near, run.Rest);
        run.Strike();
        await run.WaitForSuccessorAsync();
        await cluster.Lab.Network.HealAsync();
        await run.StartIfTheFenceStoppedItAsync();
        return await run.EndAsync(mayLose: true);
    }
}
