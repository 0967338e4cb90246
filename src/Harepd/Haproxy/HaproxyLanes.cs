using System.Collections.Immutable;
using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// All lanes of this node. A cut goes to every HAProxy at the same moment, each on a thread that was made beforehand: a fence may
/// meet a full thread pool, and one silent HAProxy must not use up the budget of the others. Thread-safe.
/// </summary>
internal sealed class HaproxyLanes : IDisposable
{
    private readonly ImmutableArray<Cutter> _cutters;

    public HaproxyLanes(IEnumerable<HaproxyLane> lanes) => _cutters = [.. lanes.Select(lane => new Cutter(lane))];

    /// <summary>The lanes, in the order of the configuration.</summary>
    public IEnumerable<HaproxyLane> All => _cutters.Select(c => c.Lane);

    /// <summary>Starts every lane. Without <paramref name="keeps"/> only cuts go out, once each: no state is read again and none is put right.</summary>
    /// <param name="keeps">False in a process that has no say over the routes but the fence, such as the guard.</param>
    public void Start(bool keeps = true)
    {
        foreach (var cutter in _cutters)
        {
            cutter.Start(keeps);
        }
    }

    /// <summary>Gives every lane the same desire.</summary>
    public void Desire(RouteDesire desire)
    {
        foreach (var cutter in _cutters)
        {
            cutter.Lane.Desire(desire);
        }
    }

    /// <summary>
    /// Pauses new clients at every HAProxy; <paramref name="settled"/> gets one answer when all lanes have theirs. A HAProxy that cannot be
    /// held goes on as it was. Sequences grow.
    /// </summary>
    public void EngageHold(long sequence, Term term, Instant until, Action<HoldTally> settled)
    {
        var tally = new HoldTally(_cutters.Length, settled);
        foreach (var cutter in _cutters)
        {
            cutter.Lane.EngageHold(new HoldDesire(sequence, term, until, (isHeld, detail) => tally.Add(isHeld, $"{cutter.Lane.Endpoint}: {detail}")));
        }
    }

    /// <summary>Ends the hold at every HAProxy; does not wait.</summary>
    public void ReleaseHold()
    {
        foreach (var cutter in _cutters)
        {
            cutter.Lane.ReleaseHold();
        }
    }

    /// <summary>
    /// Begins to cut at every HAProxy and returns at once, so that the caller can close pg_hba.conf meanwhile.
    /// <see cref="Cutting.Wait"/> tells how it went.
    /// </summary>
    public Cutting BeginCut(Instant deadline)
    {
        foreach (var cutter in _cutters)
        {
            cutter.Begin(deadline);
        }

        return new Cutting([.. _cutters.Select(c => (Func<Instant, CutResult>)c.Wait)]);
    }

    /// <summary>Cuts at every HAProxy and waits until all answered or the deadline came; empty detail when all confirmed.</summary>
    public CutResult CutNow(Instant deadline) => BeginCut(deadline).Wait(deadline);

    public void Dispose()
    {
        foreach (var cutter in _cutters)
        {
            cutter.Dispose();
        }
    }

    /// <summary>One lane and the thread that cuts it.</summary>
    private sealed class Cutter(HaproxyLane lane) : IDisposable
    {
        private readonly object _gate = new();
        private Thread? _thread;
        private Instant? _asked;
        private long _askedCount;
        private long _doneCount;
        private CutResult _result;
        private bool _isStopping;

        public HaproxyLane Lane => lane;

        public void Start(bool keeps)
        {
            if (keeps)
            {
                lane.Start();
            }

            _thread = new Thread(Run) { IsBackground = true, Name = $"cut {lane.Endpoint}", Priority = ThreadPriority.AboveNormal };
            _thread.Start();
        }

        public void Begin(Instant deadline)
        {
            lock (_gate)
            {
                _asked = deadline;
                _askedCount++;
                Monitor.PulseAll(_gate);
            }
        }

        public CutResult Wait(Instant deadline)
        {
            lock (_gate)
            {
                var mine = _askedCount;
                while (_doneCount < mine)
                {
                    var left = deadline - BootClock.Now;
                    if (left <= TimeSpan.Zero)
                    {
                        return new CutResult(false, $"{lane.Endpoint} is not cut in time");
                    }

                    Monitor.Wait(_gate, TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(left.TotalMilliseconds), 1, 1000)));
                }

                return _result;
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _isStopping = true;
                Monitor.PulseAll(_gate);
            }

            _thread?.Join();
            lane.Dispose();
        }

        private void Run()
        {
            while (true)
            {
                Instant deadline;
                long count;
                lock (_gate)
                {
                    while (_asked is null && !_isStopping)
                    {
                        Monitor.Wait(_gate);
                    }

                    if (_asked is not { } asked)
                    {
                        return;
                    }

                    (deadline, count) = (asked, _askedCount);
                    _asked = null;
                }

                var result = lane.CutNow(deadline);
                lock (_gate)
                {
                    _result = result.IsCut ? result : result with { Detail = $"{lane.Endpoint}: {result.Detail}" };
                    _doneCount = count;
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }
}

/// <summary>A cut that is under way at every HAProxy.</summary>
internal sealed class Cutting(ImmutableArray<Func<Instant, CutResult>> waits)
{
    /// <summary>Waits for all, until the deadline at the latest; the detail joins what went wrong, and is empty when every HAProxy confirmed.</summary>
    public CutResult Wait(Instant deadline)
    {
        var results = waits.Select(wait => wait(deadline)).ToList();
        return new CutResult(results.TrueForAll(r => r.IsCut), string.Join("; ", results.Where(r => !r.IsCut).Select(r => r.Detail)));
    }
}
