using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>The watchdog thread of a process: fences a little after the moment at which the loop should have. Stops when the whole process is stopped.</summary>
internal sealed class SimWatchdog(World world, SimHost host, SimProcess process)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(30);
    private Effect.ArmWatchdog _armed = new(default, Instant.Zero, Instant.Zero);
    private bool _isWaiting;

    public Instant FenceAt => _armed.FenceAt;

    public void Arm(Effect.ArmWatchdog arm)
    {
        _armed = arm;
        if (world.Mutation.ForgetsGuard(arm, host.GuardDeadline))
        {
            return;
        }

        host.TellGuard(arm.Deadline);
        if (arm.FenceAt != Instant.Zero && !_isWaiting)
        {
            Wait();
        }
    }

    private void Wait()
    {
        _isWaiting = true;
        process.LaterAt(host.Clock.TimeOf(_armed.FenceAt + Patience), Look);
    }

    private void Look()
    {
        _isWaiting = false;
        if (_armed.FenceAt == Instant.Zero)
        {
            return;
        }

        if (host.Now < _armed.FenceAt + Patience)
        {
            Wait();
            return;
        }

        var term = _armed.Term;
        _armed = new Effect.ArmWatchdog(term, Instant.Zero, Instant.Zero);
        world.Note(host.Name, "watchdog fences");
        host.SetBlock(Gate.Fenced, host.BlockTerm);
        host.EndSessions();
        process.Post(new Input.WatchdogFired(term));
    }
}
