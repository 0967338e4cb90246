using Harepd.Clock;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Postgres.Control;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// Orders to the server, one at a time on a thread of its own; of those that wait only the newest is done. A promotion is not begun without a
/// lease, and none is below the term of an order done before (R11).
/// </summary>
internal sealed class ControlLane : IDisposable
{
    // A promotion that is not asked for by then does not come; the session would keep a smart shutdown waiting.
    private static readonly TimeSpan ReadyFor = TimeSpan.FromSeconds(5);

    private readonly ServerControl _server;
    private readonly TimeSpan _promoteTimeout;
    private readonly Func<Instant> _leaseEnd;
    private readonly Func<Input, bool> _post;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _signal = new(0);
    private readonly Thread _thread;
    private Effect? _waiting;
    private bool _mustGetReady;
    private Term _highest;
    private string _lastFollow = "";
    private volatile bool _isDisposed;

    /// <param name="server">The room that does it.</param>
    /// <param name="promoteTimeout">How long sessions are kept out of a promotion's way.</param>
    /// <param name="leaseEnd">Until when this member has the lease, now; <see cref="Instant.Zero"/> without one.</param>
    /// <param name="post">The mailbox.</param>
    /// <param name="log">The room's logger.</param>
    public ControlLane(ServerControl server, TimeSpan promoteTimeout, Func<Instant> leaseEnd, Func<Input, bool> post, ILogger log)
    {
        (_server, _promoteTimeout, _leaseEnd, _post, _log) = (server, promoteTimeout, leaseEnd, post, log);
        _thread = new Thread(Run) { Name = "control", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Takes an order; does not wait.</summary>
    public void Enqueue(Effect effect)
    {
        // What only makes ready takes no order's place.
        if (effect is Effect.GetReady)
        {
            Volatile.Write(ref _mustGetReady, true);
        }
        else
        {
            Volatile.Write(ref _waiting, effect);
        }

        _signal.Release();
    }

    public void Dispose()
    {
        _isDisposed = true;
        _signal.Release();
        if (_thread.Join(TimeSpan.FromSeconds(2)))
        {
            _server.Rest();
            _signal.Dispose();
        }
    }

    private void Run()
    {
        while (!_isDisposed)
        {
            if (!_signal.Wait(_server.IsReady ? ReadyFor : Timeout.InfiniteTimeSpan))
            {
                _server.Rest();
            }

            if (Interlocked.Exchange(ref _mustGetReady, false) && Volatile.Read(ref _waiting) is null)
            {
                _ = Guarded(() => _server.GetReady(), static _ => false);
            }

            switch (Interlocked.Exchange(ref _waiting, null))
            {
                case Effect.Promote promote:
                    Promote(promote);
                    break;
                case Effect.Follow follow:
                    Follow(follow);
                    break;
                case Effect.Synchronize synchronize:
                    Synchronize(synchronize);
                    break;
                default:
                    break;
            }
        }
    }

    private void Synchronize(Effect.Synchronize order)
    {
        var result = IsOld(order.Term)
            ? ControlResult.Refused($"the order of term {order.Term} came after one of term {_highest}")
            : Guarded(() => _server.Synchronize(order.Wanted, () => _isDisposed || BootClock.Now >= order.Until || BootClock.Now >= _leaseEnd()), ControlResult.Refused);
        _log.Log(result.IsDone ? LogLevel.Information : LogLevel.Warning, "order {Sequence}: {Detail}", order.Sequence, result.Detail);
        _post(new Input.OrderDone(order.Sequence, result.IsDone, default, result.Detail));
    }

    private void Promote(Effect.Promote promote)
    {
        // An exception leaves it open whether the server was told, so it counts as told.
        var result = IsOld(promote.Term)
            ? ControlResult.Refused($"the order of term {promote.Term} came after one of term {_highest}")
            : Guarded(() => _server.Promote(promote.From, IsLate), ControlResult.Done);
        _post(new Input.PromotionAsked(promote.Term, result.IsDone, result.Detail));
        var ended = result.IsDone ? Guarded(() => _server.ClearTheWay(BootClock.Now + _promoteTimeout, () => _isDisposed), _ => 0) : 0;
        if (ended > 0)
        {
            _log.LogWarning("{Count} sessions kept the promotion waiting and were ended", ended);
        }

        bool IsLate()
        {
            var now = BootClock.Now;
            return _isDisposed || now >= promote.NotAfter || now >= _leaseEnd();
        }
    }

    private void Follow(Effect.Follow follow)
    {
        var result = IsOld(follow.Term)
            ? ControlResult.Refused($"the order of term {follow.Term} came after one of term {_highest}")
            : Guarded(() => _server.Follow(follow.Host, follow.Port), ControlResult.Refused);
        if (result.Detail != _lastFollow)
        {
            _lastFollow = result.Detail;
            _log.Log(result.IsDone ? LogLevel.Information : LogLevel.Warning, "told to follow {Host}:{Port}: {Detail}", follow.Host, follow.Port, result.Detail);
        }
    }

    private bool IsOld(Term term)
    {
        var isOld = term < _highest;
        _highest = isOld ? _highest : term;
        return isOld;
    }

    // The lane is a room's edge: whatever went wrong is told, and the machine decides what follows.
    private static T Guarded<T>(Func<T> work, Func<string, T> otherwise)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return otherwise($"{error.GetType().Name}: {error.Message}");
        }
    }
}
