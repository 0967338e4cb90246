namespace Harepd.Core.Tests.Simulation;

/// <summary>The one owner of time: what happens when. Things due at the same nanosecond happen in the order in which they were written down.</summary>
internal sealed class Agenda
{
    private readonly PriorityQueue<Action, (long, long)> _queue = new();
    private long _sequence;

    public long Now { get; private set; }

    public void At(long time, Action action) => _queue.Enqueue(action, (Math.Max(time, Now), _sequence++));

    public void After(long delay, Action action) => At(Now + delay, action);

    /// <summary>Lets the next thing happen if it is due by <paramref name="until"/>; false when none is.</summary>
    public bool Next(long until)
    {
        if (!_queue.TryPeek(out var action, out var due) || due.Item1 > until)
        {
            Now = until;
            return false;
        }

        _queue.Dequeue();
        Now = due.Item1;
        action();
        return true;
    }
}
