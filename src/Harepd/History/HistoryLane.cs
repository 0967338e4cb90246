using System.Collections.Concurrent;
using System.Collections.Immutable;
using Harepd.Core.Act;
using Microsoft.Extensions.Logging;

namespace Harepd.History;

/// <summary>
/// Keeps the decisions: the last ones in memory, all of them in a file, by a thread of its own. Whoever records never waits: behind a disk that is slow, full or
/// frozen what does not fit is dropped and counted, and the count is said when the disk works again.
/// </summary>
internal sealed class HistoryLane : IDisposable
{
    /// <summary>Lines kept in memory, for those who ask over the network.</summary>
    public const int Kept = 1000;

    private const int MostWaiting = 2048;
    private const int BatchSize = 256;
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(1);
    private readonly HistoryFile _file;
    private readonly string _folder;
    private readonly string _node;
    private readonly ILogger _log;
    private readonly BlockingCollection<HistoryLine> _queue = new(MostWaiting);
    private readonly Thread _thread;
    private readonly Lock _recording = new();
    private ImmutableQueue<HistoryLine> _recent = [];
    private int _count;
    private Reigns _reigns = Reigns.None;
    private long _dropped;
    private long _said;
    private bool _isFailing;

    /// <param name="folder">The state folder.</param>
    /// <param name="stem">Of the files' names.</param>
    /// <param name="node">This node's name.</param>
    /// <param name="log">Told of a disk that fails, once a failure.</param>
    public HistoryLane(string folder, string stem, string node, ILogger log)
    {
        (_file, _folder, _node, _log) = (new HistoryFile(folder, stem), folder, node, log);
        _thread = new Thread(Run) { Name = "history", IsBackground = true, Priority = ThreadPriority.BelowNormal };
        _thread.Start();
    }

    /// <summary>Lines that are in memory alone, since the start.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>The last lines, oldest first; earlier runs' too, once they were read. A snapshot; costs nothing to take.</summary>
    public ImmutableQueue<HistoryLine> Recent => Volatile.Read(ref _recent);

    /// <summary>Who served when, from the lines seen so far.</summary>
    public Reigns Reigns => Volatile.Read(ref _reigns);

    /// <summary>Takes a decision; never waits.</summary>
    public void Take(DateTime atUtc, Decision decision)
    {
        var line = HistoryLine.Of(_node, atUtc, decision);
        lock (_recording)
        {
            Keep(line);
        }

        try
        {
            if (_queue.TryAdd(line))
            {
                return;
            }
        }
        catch (InvalidOperationException)
        {
            // Recorded after the close: lost to the file, and counted like the rest.
        }

        Interlocked.Increment(ref _dropped);
    }

    /// <summary>Takes no more, and waits for what is queued for a second at most.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        if (_thread.Join(TimeSpan.FromSeconds(1)))
        {
            _queue.Dispose();
            _file.Dispose();
        }
    }

    private void Keep(HistoryLine line)
    {
        var recent = _recent.Enqueue(line);
        if (++_count > Kept)
        {
            recent = recent.Dequeue();
            _count--;
        }

        Volatile.Write(ref _recent, recent);
        Volatile.Write(ref _reigns, _reigns.With(line));
    }

    private void Run()
    {
        Remember();
        var batch = new List<HistoryLine>(BatchSize);
        var isFlushed = true;
        while (!_queue.IsCompleted)
        {
            batch.Clear();
            if (TakeOne(out var first))
            {
                batch.Add(first!);
                while (batch.Count < BatchSize && _queue.TryTake(out var next))
                {
                    batch.Add(next);
                }
            }

            isFlushed = batch.Count == 0 ? isFlushed || Flush() : Write(batch);
        }

        _ = isFlushed || Flush();
    }

    private bool TakeOne(out HistoryLine? line)
    {
        try
        {
            return _queue.TryTake(out line, FlushTime);
        }
        catch (InvalidOperationException)
        {
            line = null;
            return false;
        }
    }

    /// <summary>What earlier runs left comes before what this one has recorded meanwhile.</summary>
    private void Remember()
    {
        try
        {
            if (_file.SetAsideIfDamaged() is { } name)
            {
                _log.LogWarning(new EventId(9031, "HistorySetAside"), "the history could not be read and is kept as {Path}; a new one begins", name);
            }

            var found = HistoryReader.ReadFolder(_folder);
            if (found.Damaged > 0)
            {
                _log.LogWarning(new EventId(9032, "HistoryDamaged"), "{Count} lines of the history cannot be read and are left out", found.Damaged);
            }

            // Whoever records waits for this lock: a long history is gone through before it is taken.
            var reigns = found.Lines.Aggregate(Reigns.None, (all, line) => all.With(line));
            var newest = ImmutableQueue.CreateRange(found.Lines.TakeLast(Kept));
            lock (_recording)
            {
                var now = _recent;
                (_recent, _count, _reigns) = (newest, Math.Min(found.Lines.Count, Kept), reigns);
                foreach (var line in now)
                {
                    Keep(line);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Say(error);
        }
    }

    /// <summary>False: what was written waits for a flush.</summary>
    private bool Write(List<HistoryLine> batch)
    {
        var bytes = new MemoryStream();
        foreach (var line in batch)
        {
            bytes.Write(line.ToJson());
            bytes.WriteByte((byte)'\n');
        }

        try
        {
            _file.Append(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
            _isFailing = false;
            if (Dropped - _said is var lost and > 0)
            {
                _said += lost;
                _log.LogWarning(new EventId(9034, "HistoryLost"), "{Lost} decisions are missing in the history: its disk was full, frozen or failing", lost);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Interlocked.Add(ref _dropped, batch.Count);
            Say(error);
        }

        return false;
    }

    private bool Flush()
    {
        _file.Flush();
        return true;
    }

    private void Say(Exception error)
    {
        if (!_isFailing)
        {
            _log.LogWarning(new EventId(9033, "HistoryNotKept"), "the history cannot be kept in {Folder}: {Reason}", _folder, error.Message);
        }

        _isFailing = true;
    }
}
