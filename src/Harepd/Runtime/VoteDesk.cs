using System.Collections.Concurrent;
using Harepd.Core;
using Harepd.Core.Decide;

namespace Harepd.Runtime;

/// <summary>
/// Where votes that came from outside wait for the loop's answer. Bounded; an asker that goes away or whose deadline passes leaves no trace.
/// </summary>
internal sealed class VoteDesk(Mailbox mailbox)
{
    private const int MostWaiting = 512;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<LeaseReply>> _waiting = new();
    private long _last;

    /// <summary>Hands the request to the loop and waits for its answer; null when the node is too busy to take it.</summary>
    /// <exception cref="OperationCanceledException">The asker's deadline passed.</exception>
    public async ValueTask<LeaseReply?> AskAsync(LeaseRequest request, CancellationToken deadline)
    {
        if (_waiting.Count >= MostWaiting)
        {
            return null;
        }

        var id = Interlocked.Increment(ref _last);
        var answer = new TaskCompletionSource<LeaseReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        try
        {
            return mailbox.TryPost(new Input.VoteAsked(id, request)) ? await answer.Task.WaitAsync(deadline).ConfigureAwait(false) : null;
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    /// <summary>The loop's answer; dropped when nobody waits any more.</summary>
    public void Answer(long id, LeaseReply reply)
    {
        if (_waiting.TryGetValue(id, out var answer))
        {
            answer.TrySetResult(reply);
        }
    }
}
