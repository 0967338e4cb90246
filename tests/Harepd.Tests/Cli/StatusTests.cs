using System.Text.Json;
using Harepd.Cli;
using Harepd.Peers;
using Harepd.Tests.Config;
using Harepd.Tests.Peers;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Cli;

public sealed class StatusTests
{
    [Fact]
    public async Task The_daemon_of_this_node_is_asked_and_its_view_is_shown()
    {
        var cluster = new Cluster("127.20.30.1", "127.20.30.2");
        await using var self = await StartAsync(cluster, 0);
        using var file = Config(cluster);

        var people = await Shell.RunAsync("status", "-f", file.File);
        var machines = await Shell.RunAsync("status", "--json", "-f", file.File);

        Assert.Equal((ExitCodes.Ok, ExitCodes.Ok), (people.ExitCode, machines.ExitCode));
        Assert.Contains("harepd 1.2.3", people.Output, StringComparison.Ordinal);
        var member = JsonDocument.Parse(machines.Output).RootElement.GetProperty("members").EnumerateArray().Single();
        Assert.Equal("node_0", member.GetProperty("node").GetString());
    }

    [Fact]
    public async Task Another_member_can_be_asked()
    {
        var cluster = new Cluster("127.20.31.1", "127.20.31.2");
        await using var other = await StartAsync(cluster, 1);
        using var file = Config(cluster);

        var answer = await Shell.RunAsync("status", "--json", "--of", cluster.Members[1].Address, "-f", file.File);

        Assert.Equal(cluster.Members[1].Address, JsonDocument.Parse(answer.Output).RootElement.GetProperty("member").GetString());
    }

    [Fact]
    public async Task A_daemon_that_does_not_answer_is_unavailable()
    {
        using var file = Config(new Cluster("127.20.32.1", "127.20.32.2"));

        var answer = await Shell.RunAsync("status", "-f", file.File);

        Assert.Equal((ExitCodes.Unavailable, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("does not tell its state", answer.Error, StringComparison.Ordinal);
    }

    private static Task<PeerService> StartAsync(Cluster cluster, int index) => PeerService.StartAsync(
        cluster.Identity(index), cluster.Options(index), cluster.Handlers(index), NullLogger.Instance, CancellationToken.None);

    private static TemporaryConfig Config(Cluster cluster)
    {
        var self = cluster.Members[0].Address.Split(':');
        return new TemporaryConfig($"harepd:\n  gRPC: {{ bindAddress: {self[0]}, bindPort: {self[1]}, neighbours: [\"{cluster.Members[1]}\"] }}\n");
    }
}
