using System.Globalization;
using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Bench.Steering;

/// <summary>The servers of the steering benchmarks: primary, standby, witness, HAProxy; the daemons run only while a scenario wants them.</summary>
internal sealed class SteeringLab : IAsyncDisposable
{
    /// <summary>Where the daemons answer HAProxy's agent-check.</summary>
    public const int AgentPort = 8009;

    private SteeringLab(LabCluster cluster)
    {
        Cluster = cluster;
        (Primary, Standby) = (cluster.Repmgr.Node1, cluster.Repmgr.Node2);
    }

    public LabCluster Cluster { get; }

    public HaproxyServer Haproxy => Cluster.Haproxy;

    public RepmgrNode Primary { get; private set; }

    public RepmgrNode Standby { get; private set; }

    /// <param name="harepdPromotes">The daemons promote; otherwise somebody else does.</param>
    /// <param name="threeDataNodes">The third node is a second standby, no witness.</param>
    public static async Task<SteeringLab> StartAsync(bool harepdPromotes = false, bool threeDataNodes = false)
    {
        var keys = new Dictionary<string, string?> { ["failover.manager"] = harepdPromotes ? "harepd" : null, ["http.agentPort"] = $"{AgentPort}" };
        var options = new LabClusterOptions { StartDaemons = false, JsonLogs = true, Harepd = new() { Keys = keys }, Repmgr = new RepmgrOptions { ThreeDataNodes = threeDataNodes } };
        return new SteeringLab(await LabCluster.StartAsync(options, Tell));
    }

    /// <summary>Progress, for people.</summary>
    public static void Tell(string text) => Console.Error.WriteLine($"  {text}");

    /// <summary>Starts the daemons and waits until they serve.</summary>
    public Task StartDaemonsAsync()
    {
        Cluster.StartDaemons();
        return WaitForServiceAsync();
    }

    /// <summary>Waits until writers are on the primary and readers on the standby.</summary>
    public async Task WaitForServiceAsync()
    {
        await Cluster.WaitForServingAsync(Primary);
        await Wait.UntilAsync(
            async () => (await Haproxy.TakingTrafficAsync(HaproxyServer.ReadBackend)).Contains(Standby.Name), "readers on the standby", detail: Cluster.Describe);
    }

    /// <summary>Stops the daemons; they fence.</summary>
    public async Task StopDaemonsAsync()
    {
        foreach (var daemon in Cluster.Daemons)
        {
            await daemon.StopAsync();
        }
    }

    /// <summary>A fast stop, so that the standby has received everything and the server can come back without a rewind.</summary>
    public async Task StopPrimaryAsync()
    {
        await RepmgrCluster.WaitForCatchUpAsync(Standby.Server, Primary.Server);
        await Primary.Server.StopAsync();
    }

    /// <summary>The standby is the primary now; the old one comes back as its standby.</summary>
    public async Task ChangeRolesAsync()
    {
        (Primary, Standby) = (Standby, Primary);
        await Standby.Server.WaitForEndAsync();
        await Standby.Server.FollowAsync(Primary.Server, "repmgr");
        await RepmgrCluster.WaitForStreamingAsync(Standby.Server);
        await RepmgrCluster.WaitForCatchUpAsync(Standby.Server, Primary.Server);
    }

    /// <summary>A second standby, where there is one, follows the new primary.</summary>
    public async Task LetOthersFollowAsync()
    {
        foreach (var other in Cluster.Repmgr.DataNodes.Where(node => node != Primary && node != Standby))
        {
            await other.Server.ExecuteAsync(
                $"ALTER SYSTEM SET primary_conninfo = 'host={Primary.Server.Address} port={Primary.Server.Port} user=repmgr application_name={other.Name}'");
            await other.Server.ExecuteAsync("SELECT pg_reload_conf()");
            await RepmgrCluster.WaitForCatchUpAsync(other.Server, Primary.Server);
        }
    }

    /// <summary>The daemons have made the standby the primary, and the old one is its standby.</summary>
    public void NoteRolesChanged() => (Primary, Standby) = (Standby, Primary);

    /// <summary>Tells what the daemons said since a moment, each line with the milliseconds from then.</summary>
    public void Trace(Instant since)
    {
        foreach (var (time, text) in Cluster.Repmgr.DataNodes.SelectMany(LogOf).OrderBy(line => line.Time))
        {
            if (LabClock.FromUtc(time) - since is { TotalMilliseconds: >= -5 } after)
            {
                Tell(string.Create(CultureInfo.InvariantCulture, $"    {after.TotalMilliseconds,7:F1} {text}"));
            }
        }
    }

    private IEnumerable<(DateTimeOffset Time, string Text)> LogOf(RepmgrNode node)
    {
        using var stream = new FileStream(Cluster.JsonLogOf(node), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            yield return (json.RootElement.GetProperty("time").GetDateTimeOffset(), $"{node.Name} {json.RootElement.GetProperty("message").GetString()}");
        }
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
