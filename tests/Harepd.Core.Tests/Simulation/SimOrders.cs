using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// The orders of a planned move as the rooms carry them out: the hold at HAProxy, the checkpoint, the stop and the start of the server. Each takes its time, some
/// fail, and now and then nobody answers at all. Nothing is stopped or started while the block is open, and no primary without a lease.
/// </summary>
internal sealed class SimOrders(World world, SimHost host, SimProcess process)
{
    private readonly Dice _dice = new(world.Plan.Seed, $"orders {host.Name} {world.Agenda.Now}");

    private bool Fails => world.Network.IsTroubled && _dice.Chance(0.1);

    public void Take(Effect effect)
    {
        switch (effect)
        {
            case Effect.EngageHold hold:
                if (!Fails)
                {
                    process.Later(Delay(), () => process.Post(new Input.HoldSettled(hold.Sequence, _dice.Chance(0.7), "simulated")));
                }

                break;
            case Effect.ConsultHook consult:
                // Some veto, some hang until they are killed, and some of those are not even reported.
                if (!Fails)
                {
                    var isHanging = _dice.Chance(0.1);
                    process.Later(isHanging ? Math.Max(0, Span.Of(consult.Until - host.Now)) : Delay(), () => Answer(consult.Sequence, !isHanging && _dice.Chance(0.8)));
                }

                break;
            case Effect.PrepareMove prepare:
                process.Later(Delay(), () => Answer(prepare.Sequence, !Fails));
                break;
            case Effect.StopServer stop:
                process.Later(Delay(), () => Stop(stop));
                break;
            case Effect.StartServer start:
                process.Later(Delay(), () => Start(start));
                break;
            case Effect.RejoinServer rejoin:
                process.Later(Delay(), () => Rejoin(rejoin));
                break;
            default:
                throw new InvalidOperationException($"no order: {effect.GetType().Name}");
        }
    }

    private void Stop(Effect.StopServer stop)
    {
        if (host.Block != Gate.Fenced)
        {
            Answer(stop.Sequence, false);
            return;
        }

        if (host.Server.IsRunning && (host.Server.IsHung || Fails))
        {
            process.Later(Math.Max(0, Span.Of(stop.Until - host.Now)), () =>
            {
                if (host.Server.IsRunning)
                {
                    host.StopServer(isClean: false);
                }

                Answer(stop.Sequence, false);
            });
            return;
        }

        if (host.Server.IsRunning)
        {
            world.Note(host.Name, "server is stopped by an order");
            if (!host.Server.IsStandby)
            {
                world.Replication.Flush(host);
            }

            host.StopServer(isClean: true);
        }

        Answer(stop.Sequence, host.Server.WasStoppedCleanly && (stop.IsAnyServer || !host.Server.IsStandby));
    }

    private void Start(Effect.StartServer start)
    {
        var isStandby = start.Host.Length > 0 || start.IsAsItWas;
        var isLate = !isStandby && !start.IsShut && host.Now >= process.Watchdog.FenceAt;
        if (!host.Server.IsRunning)
        {
            if (host.Block != Gate.Fenced || isLate || Fails || (!isStandby && host.Server.IsStandby))
            {
                Answer(start.Sequence, false);
                return;
            }

            world.Note(host.Name, $"server is started as a {(isStandby ? "standby" : "primary")} by a planned move");
            host.Server.IsStandby = isStandby;
            host.StartServer();
            if (start.Host.Length > 0)
            {
                world.Replication.Follow(host, start.Host);
            }
        }

        Answer(start.Sequence, true);
    }

    /// <summary>Stopped, rewound or cloned, and started a while later; what fails in between leaves it down.</summary>
    private void Rejoin(Effect.RejoinServer rejoin)
    {
        if (host.Block != Gate.Fenced || host.Now < process.Watchdog.FenceAt || Fails)
        {
            Answer(rejoin.Sequence, false);
            return;
        }

        if (host.Server.IsRunning)
        {
            host.StopServer(isClean: true);
        }

        var isBroken = Fails;
        process.Later(2 * Delay(), () =>
        {
            var source = world.DataHosts.First(other => other.Name == rejoin.Host);
            if (!host.Server.IsRunning && !isBroken)
            {
                world.Note(host.Name, $"server is rewound and follows {source.Name}");
                (host.Server.IsStandby, host.Server.Timeline, host.Server.Upstream) = (true, source.Server.Timeline, source);
                (host.Server.Wal, host.Server.WalChangedAt) = (source.Server.Wal, world.Agenda.Now);
                host.StartServer();
            }

            process.Post(new Input.OrderDone(rejoin.Sequence, !isBroken, default, "rejoin") { IsFinal = isBroken });
        });
    }

    private void Answer(long sequence, bool isDone) =>
        process.Post(new Input.OrderDone(sequence, isDone, isDone ? new Lsn(0x1000UL + (ulong)host.Server.Wal) : default, isDone ? "done" : "failed"));

    private long Delay() => _dice.Between(5 * Span.Millisecond, 200 * Span.Millisecond);
}
