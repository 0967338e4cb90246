using System.Net;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>A standby that comes and goes is kept from readers until it was well for <c>reads.settle</c> without a break.</summary>
[Collection(LiveTests.Name)]
public sealed class FlappingStandbyTests(LiveCluster live)
{
    // The default of reads.settle, which the lab's daemons have.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);
    private const int Flaps = 3;

    [Fact]
    public async Task A_standby_that_flaps_does_not_flap_in_haproxy()
    {
        var (cluster, _, standby) = await live.ReadyAsync();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await ReadersAsync(hasStandby: true);
        for (var flap = 0; flap < Flaps; flap++)
        {
            await standby.Server.StopAsync();
            await ReadersAsync(hasStandby: false);
            // Its fence is over then, and ends no process of a server that starts.
            await Wait.UntilAsync(
                async () => await DaemonView.AskAsync(LabCluster.Member(standby)) is { Gate: Gate.Fenced },
                $"the fence of {standby.Name}",
                detail: cluster.Describe);
            var begun = LabClock.Now;
            await standby.Server.StartAsync();
            await RepmgrCluster.WaitForStreamingAsync(standby.Server);
            await Wait.UntilAsync(IsSeenWellAsync, $"the daemon to see {standby.Name} well", detail: cluster.Describe);

            // It was well for less than that at any moment before: whoever is slow here only looks more often, or not at all.
            var notBefore = begun + Settle;
            for (var looks = 0; looks < 20 && await TakesReadersBeforeAsync(notBefore) is { } tookReaders; looks++)
            {
                Assert.False(
                    tookReaders,
                    $"flap {flap + 1}: {standby.Name} took readers before it was well for {Settle.TotalSeconds:0} s\n{cluster.Describe()}");
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }
        }

        await ReadersAsync(hasStandby: true);

        // Null when the answer came too late to say anything.
        async Task<bool?> TakesReadersBeforeAsync(Instant moment)
        {
            var isTaking = (await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.ReadBackend)).Contains(standby.Name);
            return LabClock.Now < moment ? isTaking : null;
        }

        async Task<bool> IsSeenWellAsync()
        {
            using var answer = await http.GetAsync(new Uri($"http://{standby.Server.Address}:{LabCluster.HttpPort}/health"));
            return answer.StatusCode == HttpStatusCode.OK;
        }

        Task ReadersAsync(bool hasStandby) => Wait.UntilAsync(
            async () => (await cluster.Haproxy.TakingTrafficAsync(HaproxyServer.ReadBackend)).Contains(standby.Name) == hasStandby,
            $"readers {(hasStandby ? "on" : "off")} {standby.Name}",
            detail: cluster.Describe);
    }
}
