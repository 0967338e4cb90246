using System.Collections.Concurrent;
using Serilog.Core;
using Serilog.Events;

namespace Harepd.Logging;

/// <summary>Where lines go. Only its sink's thread calls it; it may block, and it may throw: then its events are lost.</summary>
internal interface ILogDestination
{
    /// <summary>Writes some events, whole or not at all as far as the medium allows.</summary>
    void Write(IReadOnlyList<LogEvent> events);

    /// <summary>Called about once a second, events or not.</summary>
    void Tick();
}

/// <summary>
/// A bounded queue in front of a destination that may be slow, full or frozen. <see cref="Emit"/> never blocks; what does not fit is counted.
/// The queue is drained by a thread of its own, because a frozen disk must not hold a pool thread that the daemon needs.
/// </summary>
internal sealed class BoundedSink : ILogEventSink, IDisposable
{
    private const int Capacity = 4096;
    private const int BatchSize = 256;
    private static readonly TimeSpan TickTime = TimeSpan.FromSeconds(1);
    private readonly BlockingCollection<LogEvent> _queue = new(Capacity);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogDestination _destination;
    private long _dropped;
    private long _reported;

    public BoundedSink(string threadName, ILogDestination destination)
    {
        _destination = destination;
        new Thread(Drain) { Name = threadName, IsBackground = true }.Start();
    }

    /// <summary>Events lost since the start.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Emit(LogEvent logEvent)
    {
        try
        {
            if (_queue.TryAdd(logEvent))
            {
                return;
            }
        }
        catch (InvalidOperationException)
        {
            // Somebody logs after the close: lost, and counted like the rest.
        }

        Interlocked.Increment(ref _dropped);
    }

    /// <summary>Takes no more events and waits, at most so long, until the queued ones are written.</summary>
    public async Task CloseAsync(TimeSpan atMost)
    {
        _queue.CompleteAdding();
        await Task.WhenAny(_drained.Task, Task.Delay(atMost)).ConfigureAwait(false);
    }

    public void Dispose()
    {
        // A frozen destination still holds the queue: then it is left to the end of the process.
        if (_drained.Task.IsCompleted)
        {
            _queue.Dispose();
            (_destination as IDisposable)?.Dispose();
        }
    }

    private void Drain()
    {
        var batch = new List<LogEvent>(BatchSize);
        while (!_queue.IsCompleted)
        {
            batch.Clear();
            if (TakeFirst(out var first))
            {
                batch.Add(first!);
                while (batch.Count < BatchSize && _queue.TryTake(out var next))
                {
                    batch.Add(next);
                }
            }

            Write(batch);
        }

        _drained.TrySetResult();
    }

    private bool TakeFirst(out LogEvent? first)
    {
        try
        {
            return _queue.TryTake(out first, TickTime);
        }
        catch (InvalidOperationException)
        {
            first = null;
            return false;
        }
    }

    private void Write(List<LogEvent> batch)
    {
        var events = batch.Count;
        var lost = Dropped - _reported;
        try
        {
            _destination.Tick();
            if (events == 0)
            {
                return;
            }

            if (lost > 0)
            {
                batch.Add(LostEvents.Say(lost));
            }

            _destination.Write(batch);
            _reported += lost;
        }
        catch (Exception)
        {
            // The log's own failure has no log to go to, and must not end the daemon; the count is said when the destination works again.
            Interlocked.Add(ref _dropped, events);
        }
    }
}
