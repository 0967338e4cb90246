using System.Text.Json;
using Harepd.Cli;
using Harepd.Lab.Daemon;
using Harepd.Tests.Live;
using Xunit;

namespace Harepd.Tests.Cli;

/// <summary>The tools on a whole cluster: real PostgreSQL, repmgr, HAProxy and daemons.</summary>
[Collection(LiveTests.Name)]
public sealed class LiveCliTests(LiveCluster live)
{
    [Fact]
    public async Task Check_finds_every_door_open_on_a_healthy_cluster()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();

        foreach (var daemon in new[] { cluster.DaemonOf(primary), cluster.DaemonOf(standby) })
        {
            var check = await daemon.RunAsync("check", "--json");

            Assert.True(check.ExitCode == ExitCodes.Ok, check.Output);
            Assert.Equal("open", StateOf(check.Output, "PostgreSQL"));
            Assert.Equal("open", StateOf(check.Output, "repmgr"));
            Assert.Equal("open", StateOf(check.Output, "HAProxy"));
            Assert.Equal("open", StateOf(check.Output, "peer"));
            Assert.Equal("noted", StateOf(check.Output, "listener"));
        }

        Assert.Equal(ExitCodes.Ok, (await cluster.WitnessDaemon.RunAsync("check")).ExitCode);
    }

    [Fact]
    public async Task Check_names_repmgrs_nodes_when_the_nodes_name_is_wrong()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        var keys = cluster.DataNodeKeys(primary, standby);
        keys["nodeName"] = "node_9";
        var file = cluster.Lab.WriteFile("wrong-name.yml", YamlFile.Write("harepd", keys));

        var check = await Shell.RunAsync("check", "--json", "-f", file);

        Assert.Equal((ExitCodes.Unavailable, "shut"), (check.ExitCode, StateOf(check.Output, "repmgr")));
        Assert.Contains(primary.Name, check.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_shows_who_holds_the_lease_from_every_node()
    {
        var (cluster, primary, _) = await live.ReadyAsync();

        foreach (var daemon in cluster.Daemons)
        {
            var status = await Shell.RunAsync("status", "--json", "-f", daemon.ConfigFile);

            Assert.True(status.ExitCode == ExitCodes.Ok, status.Error);
            var json = JsonDocument.Parse(status.Output).RootElement;
            Assert.StartsWith(primary.Server.Address + ":", json.GetProperty("holder").GetString(), StringComparison.Ordinal);
            Assert.Equal(3, json.GetProperty("members").GetArrayLength());
        }
    }

    private static string? StateOf(string output, string door) => JsonDocument.Parse(output).RootElement.GetProperty("doors").EnumerateArray()
        .First(entry => entry.GetProperty("door").GetString()!.StartsWith(door, StringComparison.Ordinal)).GetProperty("state").GetString();
}
