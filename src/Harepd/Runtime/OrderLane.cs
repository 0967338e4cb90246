using System.Collections.Concurrent;
using Harepd.Clock;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Postgres.Control;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// The orders of a planned move to the server's process, one after the other on a thread of its own, apart from promotions, because a checkpoint takes its time.
/// None is below the term of an order done before (R11); a primary is started only under a lease, and nothing while the block on disk is open.
/// </summary>
internal sealed class OrderLane : IDisposable
{
    private const int MostWaiting = 8;
    private readonly ServerProcess _server;
    private readonly ServerRejoin _rejoin;
    private readonly Func<Instant> _leaseEnd;
    private readonly Func<Gate> _gateOnDisk;
    private readonly string _runDir;
    private readonly Func<Input, bool> _post;
    private readonly ILogger _log;
    private readonly BlockingCollection<Effect> _waiting = new(MostWaiting);
    private readonly Thread _thread;
    private Term _highest;

    /// <param name="server">The room that does it.</param>
    /// <param name="rejoin">The same for an old primary.</param>
    /// <param name="leaseEnd">Until when this member has the lease, now; <see cref="Instant.Zero"/> without one.</param>
    /// <param name="gateOnDisk">What the managed block says; read-write when in doubt.</param>
    /// <param name="runDir">Where the lock lies that a command beside the daemon takes too.</param>
    /// <param name="post">The mailbox.</param>
    /// <param name="log">The room's logger.</param>
    public OrderLane(ServerProcess server, ServerRejoin rejoin, Func<Instant> leaseEnd, Func<Gate> gateOnDisk, string runDir, Func<Input, bool> post, ILogger log)
    {
        (_server, _rejoin, _leaseEnd, _gateOnDisk, _runDir, _post, _log) = (server, rejoin, leaseEnd, gateOnDisk, runDir, post, log);
        _thread = new Thread(Run) { Name = "orders", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Takes an order; does not wait. One too many is answered as failed.</summary>
    public void Enqueue(Effect effect)
    {
        if (!_waiting.TryAdd(effect))
        {
            Answer(SequenceOf(effect), false, default, "too many orders wait for the server");
        }
    }

    /// <summary>Ends after the order under way; what runs then is not waited for longer than two seconds.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        if (_thread.Join(TimeSpan.FromSeconds(2)))
        {
            _waiting.Dispose();
        }
    }

    private void Run()
    {
        foreach (var effect in _waiting.GetConsumingEnumerable())
        {
            try
            {
                Perform(effect);
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // The lane is a room's edge: whatever went wrong is told, and the machine decides what follows.
                Answer(SequenceOf(effect), false, default, $"{error.GetType().Name}: {error.Message}");
            }
        }
    }

    private void Perform(Effect effect)
    {
        using var only = ServerLock.TryTake(_runDir, BootClock.Now, out var error);
        if (only is null)
        {
            Answer(SequenceOf(effect), false, default, $"a command is at this server: {error}");
            return;
        }

        switch (effect)
        {
            case Effect.PrepareMove prepare when MayDo(prepare.Sequence, prepare.Term):
                Answer(prepare.Sequence, _server.Prepare(prepare.Host, prepare.Port, prepare.Until));
                break;
            case Effect.StopServer stop when MayDo(stop.Sequence, stop.Term):
                var result = MustBeShut() is { } reason ? StopResult.Refused(reason) : _server.Stop(stop.Until, stop.IsAnyServer);
                Answer(stop.Sequence, result.IsDone, result.End, result.Detail);
                break;
            case Effect.StartServer start when MayDo(start.Sequence, start.Term):
                Answer(start.Sequence, MustBeShut() is { } open ? ControlResult.Refused(open)
                    : start.Host.Length > 0 ? _server.StartAsStandbyOf(start.Host, start.Port, start.Until)
                    : _server.Start(start.IsAsItWas, start.Until, () => start is { IsAsItWas: false, IsShut: false } && BootClock.Now >= _leaseEnd()));
                break;
            case Effect.RejoinServer rejoin when MayDo(rejoin.Sequence, rejoin.Term):
                var rejoined = _rejoin.Run(rejoin, () => MustBeShut() ?? MustHaveNoLease(), out var isFinal);
                Answer(new Input.OrderDone(rejoin.Sequence, rejoined.IsDone, default, rejoined.Detail) { IsFinal = isFinal });
                break;
            default:
                break;
        }
    }

    private string? MustHaveNoLease() => BootClock.Now < _leaseEnd() ? "this member has the lease" : null;

    private string? MustBeShut() => _gateOnDisk() == Gate.Fenced ? null : "the block in pg_hba.conf is not shut, so the server is neither stopped nor started";

    private bool MayDo(long sequence, Term term)
    {
        if (term < _highest)
        {
            Answer(sequence, false, default, $"the order of term {term} came after one of term {_highest}");
            return false;
        }

        _highest = term;
        return true;
    }

    private void Answer(long sequence, ControlResult result) => Answer(sequence, result.IsDone, default, result.Detail);

    private void Answer(long sequence, bool isDone, Lsn end, string detail) => Answer(new Input.OrderDone(sequence, isDone, end, detail));

    private void Answer(Input.OrderDone done)
    {
        _log.Log(done.IsDone ? LogLevel.Information : LogLevel.Warning, "order {Sequence}: {Detail}", done.Sequence, done.Detail);
        _post(done);
    }

    private static long SequenceOf(Effect effect) => effect switch
    {
        Effect.PrepareMove prepare => prepare.Sequence,
        Effect.StopServer stop => stop.Sequence,
        Effect.StartServer start => start.Sequence,
        Effect.RejoinServer rejoin => rejoin.Sequence,
        _ => 0,
    };
}
