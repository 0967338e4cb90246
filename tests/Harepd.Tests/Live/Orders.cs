using Harepd.Control;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Tests.Live;

/// <summary>Orders to a node's daemon, asked by its own socket as the command line does, with a limit that says where an order stood.</summary>
internal static class Orders
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Gives an order and follows it to its end; returns the last thing that was told of it.</summary>
    /// <param name="cluster">Where.</param>
    /// <param name="node">Whose daemon is asked.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="told">Gets each answer as it comes.</param>
    /// <exception cref="LabException">It did not end within a minute.</exception>
    public static async Task<ControlAnswer> AskAsync(LabCluster cluster, RepmgrNode node, ControlRequest request, Func<ControlAnswer, Task>? told = null)
    {
        var last = new ControlAnswer("none");
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await foreach (var answer in ControlCall.AskAsync(cluster.RunFolderOf(node), request, limit.Token))
            {
                last = answer;
                await (told?.Invoke(answer) ?? Task.CompletedTask);
            }
        }
        catch (OperationCanceledException e)
        {
            throw new LabException($"{request.Verb} on {node.Name} did not end, it was at: {last}\n{cluster.Describe()}", e);
        }

        return last;
    }
}
