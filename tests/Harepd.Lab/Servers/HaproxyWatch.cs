using Harepd.Core.Model;
using Harepd.Lab.Machine;

namespace Harepd.Lab.Servers;

/// <summary>Looks at HAProxy's write backend every few milliseconds and remembers every moment at which two servers took traffic.</summary>
public sealed class HaproxyWatch : IAsyncDisposable
{
    private const int MaxSightings = 1000;

    private readonly HaproxyServer haproxy;
    private readonly CancellationTokenSource stop = new();
    private readonly List<string> sightings = [];
    private readonly Task looking;

    private HaproxyWatch(HaproxyServer haproxy)
    {
        this.haproxy = haproxy;
        looking = Task.Run(LookAsync);
    }

    /// <summary>How often it looked.</summary>
    public int Looks { get; private set; }

    public static HaproxyWatch Start(HaproxyServer haproxy) => new(haproxy);

    /// <summary>Ends the watch; returns a line for each moment with two writable servers.</summary>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        await stop.CancelAsync();
        await looking;
        return sightings;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private async Task LookAsync()
    {
        var begun = LabClock.Now;
        while (!stop.IsCancellationRequested && sightings.Count < MaxSightings)
        {
            Look(begun, await ServersAsync());
            await Task.WhenAny(Task.Delay(3), Task.Delay(Timeout.Infinite, stop.Token));
        }
    }

    private void Look(Instant begun, IReadOnlyList<string> servers)
    {
        Looks++;
        if (servers.Count > 1)
        {
            sightings.Add($"{(LabClock.Now - begun).TotalMilliseconds:0} ms: {string.Join(" and ", servers)}");
        }
    }

    private async Task<IReadOnlyList<string>> ServersAsync()
    {
        try
        {
            return await haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend);
        }
        catch (LabException)
        {
            return [];
        }
    }
}
