using System.Net;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>Readers on real servers: the standby's own word of how it replicates, and the primary when there is no standby.</summary>
[Collection(LiveTests.Name)]
public sealed class ReadsLiveTests(LiveCluster live)
{
    [Fact]
    public async Task A_standby_is_synchronous_when_the_primary_says_so_and_readers_fall_back_to_the_primary()
    {
        var (cluster, primary, standby) = await live.ReadyAsync();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await AwaitAsync("/async", HttpStatusCode.OK);
        await AwaitAsync("/sync", HttpStatusCode.ServiceUnavailable);

        await primary.Server.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = '*'");
        await primary.Server.ExecuteAsync("SELECT pg_reload_conf()");
        await AwaitAsync("/sync", HttpStatusCode.OK);
        await AwaitAsync("/read-only-sync", HttpStatusCode.OK);
        await AwaitAsync("/async", HttpStatusCode.ServiceUnavailable);
        await primary.Server.ExecuteAsync("ALTER SYSTEM RESET synchronous_standby_names");
        await primary.Server.ExecuteAsync("SELECT pg_reload_conf()");
        await AwaitAsync("/async", HttpStatusCode.OK);

        await ReadersOnAsync(standby);
        await standby.Server.StopAsync();
        await ReadersOnAsync(primary);

        Task AwaitAsync(string path, HttpStatusCode code) => Wait.UntilAsync(
            async () =>
            {
                using var answer = await http.GetAsync(new Uri($"http://{standby.Server.Address}:{LabCluster.HttpPort}{path}"));
                return answer.StatusCode == code;
            },
            $"{path} to answer {code}",
            detail: cluster.Describe);

        Task ReadersOnAsync(RepmgrNode node) => Wait.UntilAsync(
            async () => await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.ReadBackend) is [var only] && only == node.Name,
            $"readers on {node.Name}",
            detail: cluster.Describe);
    }
}
