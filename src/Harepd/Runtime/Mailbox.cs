using Harepd.Clock;
using Harepd.Core;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>
/// The one bounded mailbox of the node: many posters, one consumer. Posting never waits; a full mailbox refuses, and the poster lives with it
/// (a vote is refused, an observation comes again). Evidence that shuts things has a reserve of its own, so that a flood cannot keep it out.
/// Whoever waits sleeps at once: a wait that spins first costs the servers, in the moments that count, the processors they need.
/// </summary>
internal sealed class Mailbox(int capacity = 4096)
{
    private const int Reserve = 256;
    private readonly Queue<Input> _queue = new();
    private readonly object _gate = new();
    private long _refused;

    /// <summary>How many inputs were refused since the start because the mailbox was full.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Puts one input in; false when the mailbox is full.</summary>
    public bool TryPost(Input input)
    {
        var isUrgent = input is Input.PostmasterDied or Input.GateApplied or Input.WatchdogFired or Input.Stop or Input.TimelineSaved or Input.TimelineNotSaved or Input.OrderDone;
        lock (_gate)
        {
            if (_queue.Count >= (isUrgent ? capacity + Reserve : capacity))
            {
                Interlocked.Increment(ref _refused);
                return false;
            }

            _queue.Enqueue(input);
            Monitor.Pulse(_gate);
        }

        return true;
    }

    /// <summary>The next input, or null when <paramref name="until"/> (boot-time clock) came first. One consumer only.</summary>
    public Input? Take(Instant until)
    {
        lock (_gate)
        {
            while (_queue.Count == 0)
            {
                var wait = until - BootClock.Now;
                if (wait <= TimeSpan.Zero)
                {
                    return null;
                }

                Monitor.Wait(_gate, (int)Math.Min(Math.Ceiling(wait.TotalMilliseconds), 60_000));
            }

            return _queue.Dequeue();
        }
    }
}
