using System.Text.RegularExpressions;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>Real scripts in a real cluster: one may veto a planned move, all are told, and one that hangs at every change of a gate delays nothing.</summary>
[Collection(LiveTests.Name)]
public sealed partial class HookTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-hooks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Notes => Path.Combine(_folder, "notes");

    [Fact]
    public async Task Hooks_are_told_and_asked_and_a_hanging_one_delays_nothing_but_the_move_it_may_veto()
    {
        var note = Script("note", $"""echo "$HAREPD_NODE $1 primary=$HAREPD_PRIMARY to=$HAREPD_TO" >> {Notes}""");
        var keys = new Dictionary<string, string?>
        {
            ["failover.manager"] = "harepd",
            ["failover.minInterval"] = "0s",
            ["hooks.timeout"] = "3s",
            ["hooks.roleChange"] = note,
            ["hooks.afterSwitchover"] = note,
            ["hooks.beforeFailover"] = note,
            ["hooks.afterFailover"] = note,
            ["hooks.gate"] = Script("gate", $"""echo "$HAREPD_NODE $1" >> {Notes}; [ ! -e {_folder}/hang ] || sleep 1006"""),
            ["hooks.beforeSwitchover"] = Script("ask", $"""[ ! -e {_folder}/never ] || sleep 1006; [ ! -e {_folder}/no ] || (echo "not on a Friday"; exit 4)"""),
        };
        await using var cluster = await LabCluster.StartAsync(new LabClusterOptions { Harepd = new() { Keys = keys } });
        var (old, next) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
        await cluster.WaitForServingAsync(old);
        await Told("node_1 role-primary primary=node_1", cluster);
        await Told("node_2 role-standby", cluster);
        await RepmgrCluster.WaitForCatchUpAsync(next.Server, old.Server);
        await cluster.WaitForMoveAsync(old);

        await RefusedAsync(cluster, old, "no", "not on a Friday");
        await RefusedAsync(cluster, old, "never", "did not end within 3 s");
        File.WriteAllText(Path.Combine(_folder, "hang"), "");

        var moved = await cluster.DaemonOf(old).RunAsync("switchover", "--to", next.Name);
        Assert.True(moved.ExitCode == 0, $"{moved.Output}\n{cluster.Describe()}");
        await cluster.WaitForServingAsync(next);
        await Told("node_1 switchover-done primary=node_2 to=Moved", cluster);
        await Told("node_2 gate-opened", cluster);

        // Its own hooks still hang; the lease is renewed all the while, so the failover is the next that is decided.
        await RepmgrCluster.WaitForStreamingAsync(old.Server);
        await RepmgrCluster.WaitForCatchUpAsync(old.Server, next.Server);
        next.Server.KillPostmaster();
        await cluster.WaitForServingAsync(old);
        await Told("node_1 failover-begins", cluster);
        await Told("node_1 failover-done", cluster);
        await Told("node_2 role-none", cluster);
        var history = (await cluster.DaemonOf(next).RunAsync("history", "--json", "--last", "0")).Output;
        Assert.Single(LeaseAcquired().Matches(history));
    }

    private async Task RefusedAsync(LabCluster cluster, RepmgrNode node, string how, string reason)
    {
        File.WriteAllText(Path.Combine(_folder, how), "");
        var answer = await cluster.DaemonOf(node).RunAsync("switchover");
        File.Delete(Path.Combine(_folder, how));

        Assert.Equal(75, answer.ExitCode);
        Assert.Contains(reason, answer.Output, StringComparison.Ordinal);
        Assert.Equal(Gate.ReadWrite, GateOnDisk.Of(node.Server));
    }

    private Task Told(string line, LabCluster cluster) => Wait.UntilAsync(
        () => File.Exists(Notes) && File.ReadLines(Notes).Any(noted => noted.StartsWith(line, StringComparison.Ordinal)),
        $"a hook to note \"{line}\"",
        detail: () => $"{(File.Exists(Notes) ? File.ReadAllText(Notes) : "nothing")}\n{cluster.Describe()}");

    private string Script(string name, string text)
    {
        // The daemons are user postgres.
        const UnixFileMode all = (UnixFileMode)0x1FF;
        File.SetUnixFileMode(_folder, all);
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, all);
        return path;
    }

    [GeneratedRegex("\"LeaseAcquired\"")]
    private static partial Regex LeaseAcquired();
}
