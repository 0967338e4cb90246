using System.Collections.Concurrent;
using Harepd.Core.Decide;
using Harepd.Grpc;

namespace Harepd.Peers;

/// <summary>
/// Joins the votes that come in with the answers that the loop gives later, by number. Bounded; a vote whose asker went away is forgotten.
/// </summary>
/// <param name="post">Puts a numbered vote before the loop without waiting; false where it has no room.</param>
internal sealed class VoteDesk(Func<long, LeaseRequest, bool> post)
{
    private const int MaxWaiting = 1024;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<LeaseReply>> _waiting = new();
    private long _last;

    /// <summary>Waits for the loop's answer, as long as the asker does.</summary>
    /// <exception cref="GrpcException">ResourceExhausted: too many wait, or the loop has no room.</exception>
    public async ValueTask<LeaseReply> AskAsync(LeaseRequest request, CancellationToken token)
    {
        var number = Interlocked.Increment(ref _last);

        // Not on the loop's thread: it must not run the rest of a network answer.
        var answer = new TaskCompletionSource<LeaseReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            if (_waiting.Count >= MaxWaiting || !_waiting.TryAdd(number, answer) || !post(number, request))
            {
                throw new GrpcException(GrpcStatusCode.ResourceExhausted, "too many votes wait for an answer");
            }

            return await answer.Task.WaitAsync(token);
        }
        finally
        {
            _waiting.TryRemove(number, out _);
        }
    }

    /// <summary>Answers a vote; one that nobody waits for any more is dropped.</summary>
    public void Answer(long number, LeaseReply reply)
    {
        if (_waiting.TryGetValue(number, out var answer))
        {
            answer.TrySetResult(reply);
        }
    }
}
