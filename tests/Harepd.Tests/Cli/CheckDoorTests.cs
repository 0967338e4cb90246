using System.Text.Json;
using Harepd.Cli;
using Harepd.Peers;
using Harepd.Tests.Config;
using Harepd.Tests.Haproxy;
using Harepd.Tests.Peers;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Cli;

/// <summary>The doors of check against real peers and a real HAProxy.</summary>
public sealed class CheckDoorTests
{
    [Fact]
    public async Task A_peer_of_the_same_membership_is_an_open_door()
    {
        var cluster = new Cluster("127.20.1.1", "127.20.1.2");
        await using var peer = await StartAsync(cluster, 1);

        var (_, door) = await CheckAsync(Config(cluster), "peer");

        Assert.Equal("open", door.State);
        Assert.Contains("harepd 1.2.3, same membership", door.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_of_another_epoch_is_a_shut_door()
    {
        var cluster = new Cluster("127.20.2.1", "127.20.2.2");
        await using var peer = await StartAsync(cluster, 1);
        var epoch2 = Config(cluster) + $"\n  membership: {{ epoch: 2, previous: [\"{cluster.Members[0]}\"] }}\n";

        var (answer, door) = await CheckAsync(epoch2, "peer");

        Assert.Equal((ExitCodes.Unavailable, "shut"), (answer.ExitCode, door.State));
        Assert.Contains("membership", door.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_is_not_there_is_a_shut_door_and_delays_nothing_beyond_the_deadline()
    {
        var (answer, door) = await CheckAsync(Config(new Cluster("127.20.3.1", "127.20.3.2")), "peer");

        Assert.Equal((ExitCodes.Unavailable, "shut"), (answer.ExitCode, door.State));
    }

    [Fact]
    public async Task An_address_of_another_host_is_a_shut_door()
    {
        var text = "harepd:\n  gRPC: { bindAddress: 192.0.2.1, bindPort: 10000 }\n";

        Assert.Equal("shut", (await CheckAsync(text, "listener")).Door.State);
    }

    [Theory]
    [InlineData("/nowhere/hook", "is not there")]
    [InlineData("/etc/passwd", "chmod +x /etc/passwd")]
    [InlineData("/etc", "is no file")]
    public async Task A_hook_that_cannot_be_run_is_a_shut_door_with_the_mend(string path, string problem)
    {
        var (_, door) = await CheckAsync($"harepd:\n  gRPC: {{ bindAddress: 127.20.5.9 }}\n  hooks: {{ roleChange: {path} }}\n", "hooks.roleChange");

        Assert.Equal("shut", door.State);
        Assert.Contains(problem, door.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listener_in_use_is_noted_because_the_daemon_may_run()
    {
        var cluster = new Cluster("127.20.4.1", "127.20.4.2");
        await using var self = await StartAsync(cluster, 0);

        Assert.Equal("noted", (await CheckAsync(Config(cluster), "listener")).Door.State);
    }

    [Fact]
    public async Task Certificates_that_make_no_sense_are_a_shut_door()
    {
        var cluster = new Cluster("127.20.5.1", "127.20.5.2");
        var text = Config(cluster, ", tls: { enabled: true, ca: /etc/hosts, cert: /etc/hosts, key: /etc/hosts }");

        Assert.Equal("shut", (await CheckAsync(text, "certificate")).Door.State);
    }

    [Theory]
    [InlineData("node_1", "noted")]
    [InlineData("node_9", "shut")]
    public async Task A_haproxy_must_know_this_nodes_server(string name, string state)
    {
        using var haproxy = RealHaproxy.WithServers("server node_1 127.20.6.1:5432", "server node_2 127.20.6.2:5432");

        var (_, door) = await CheckAsync(DataNode(name, $"unix:{haproxy.Socket},master:unix:{haproxy.Master}"), "HAProxy", isDataNode: true);

        Assert.Equal(state, door.State);
    }

    [Fact]
    public async Task A_haproxy_that_is_not_there_is_a_shut_door()
    {
        Assert.Equal("shut", (await CheckAsync(DataNode("node_1", "unix:/tmp/no-haproxy.sock"), "HAProxy", isDataNode: true)).Door.State);
    }

    private static Task<PeerService> StartAsync(Cluster cluster, int index) => PeerService.StartAsync(
        cluster.Identity(index), cluster.Options(index), cluster.Handlers(index), NullLogger.Instance, CancellationToken.None);

    private static string Config(Cluster cluster, string more = "")
    {
        var self = cluster.Members[0].Address.Split(':');
        return $"harepd:\n  gRPC: {{ bindAddress: {self[0]}, bindPort: {self[1]}, neighbours: [\"{cluster.Members[1]}\"]{more} }}\n";
    }

    private static string DataNode(string name, string endpoint) => TemporaryConfig.Minimal
        .Replace("node_1", name, StringComparison.Ordinal)
        .Replace("/etc/postgresql/15/main/pg_hba.conf", "/etc/hosts", StringComparison.Ordinal)
        .Replace("server: [\"10.0.0.9\"]", $"endpoints: [\"{endpoint}\"]\n    writeBackend: wr\n    readBackend: rd", StringComparison.Ordinal)
        .Replace("10.0.0.1", "127.20.7.1", StringComparison.Ordinal)
        .Replace("    neighbours: [\"10.0.0.2:10000\"]\n    witness: \"10.0.0.3:10000\"", "", StringComparison.Ordinal);

    private static async Task<(Answer Answer, (string? State, string Detail) Door)> CheckAsync(string text, string door, bool isDataNode = false)
    {
        using var file = new TemporaryConfig(text);
        string[] modes = isDataNode ? [] : ["--server-only"];
        var answer = await Shell.RunAsync(["check", "--json", .. modes, "-f", file.File]);
        var doors = JsonDocument.Parse(answer.Output).RootElement.GetProperty("doors").EnumerateArray();
        var found = doors.First(entry => entry.GetProperty("door").GetString()!.StartsWith(door, StringComparison.Ordinal));
        return (answer, (found.GetProperty("state").GetString(), found.GetProperty("detail").GetString()!));
    }
}
