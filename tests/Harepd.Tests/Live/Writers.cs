using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Tests.Live;

/// <summary>A pool behind HAProxy and one client straight at each server, so that a second writer cannot hide.</summary>
internal sealed class Writers : IAsyncDisposable
{
    private readonly Writer[] direct;

    private readonly LabCluster cluster;

    private Writers(LabCluster cluster)
    {
        this.cluster = cluster;
        Main = cluster.WriteThroughHaproxy();
        direct = [.. cluster.Repmgr.DataNodes.Select(node => LabCluster.WriteDirectly(node))];
    }

    /// <summary>The pool behind HAProxy.</summary>
    public Writer Main { get; }

    public IReadOnlyList<WriteAttempt> All => [.. Main.Attempts, .. direct.SelectMany(writer => writer.Attempts)];

    /// <summary>Begins, with an empty table, and waits for the first write through HAProxy.</summary>
    public static async Task<Writers> StartAsync(LabCluster cluster)
    {
        foreach (var node in cluster.Repmgr.DataNodes)
        {
            if (await node.Server.IsInRecoveryAsync() == false)
            {
                await node.Server.ExecuteAsync("TRUNCATE lab_writes", "app", "app");
            }
        }

        var writers = new Writers(cluster);
        await writers.Main.FirstAfterAsync(LabClock.Now);
        return writers;
    }

    /// <summary>Waits for a write through HAProxy that a node acknowledges after so many seconds from now.</summary>
    /// <exception cref="LabException">None in time; the message holds the ends of all logs.</exception>
    public async Task WaitForWriteAsync(RepmgrNode node, int afterSeconds = 0)
    {
        try
        {
            await Main.FirstAfterAsync(LabClock.Now + TimeSpan.FromSeconds(afterSeconds), server: node.Server);
        }
        catch (LabException e)
        {
            throw new LabException($"{e.Message}\n{cluster.Describe()}", e);
        }
    }

    public async Task StopAsync()
    {
        foreach (var writer in direct.Append(Main))
        {
            await writer.StopAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in direct.Append(Main))
        {
            await writer.DisposeAsync();
        }
    }
}
