using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// Opens and closes share one lane; only the newest that waits is of use. The clock is read before and after an opening (R6), the term
/// just before (R11). The stages are done on the process's own time: a process that is stopped leaves them half done.
/// </summary>
internal sealed class SimLane(World world, SimHost host, SimProcess process)
{
    private Effect? _waiting;
    private bool _isBusy;

    public void Enqueue(Effect effect)
    {
        _waiting = effect;
        if (!_isBusy)
        {
            Begin();
        }
    }

    private void Begin()
    {
        if (_waiting is not { } effect)
        {
            return;
        }

        _waiting = null;
        _isBusy = true;
        process.Later(world.Network.GateDelay(), () => Perform(effect));
    }

    private void Perform(Effect effect)
    {
        switch (effect)
        {
            case Effect.CloseGate { To: Gate.Fenced } close:
                Fence(close.Term, close.FinishBy, close.MayStop, (gate, isDone, detail) => Answer(close.Sequence, gate, isDone, detail), close.BeginsStop);
                break;
            case Effect.CloseGate close:
                Move(close.Sequence, close.To, close.Term);
                break;
            case Effect.OpenGate { To: Gate.ReadWrite } open:
                Open(open.Sequence, open.Term, open.NotAfter);
                break;
            case Effect.OpenGate open:
                Move(open.Sequence, open.To, open.Term);
                break;
            case Effect.VerifyGate { Expected: Gate.ReadWrite } verify:
                Open(verify.Sequence, verify.Term, verify.NotAfter);
                break;
            case Effect.VerifyGate verify when world.Mutation.TrustsAnyBlock:
                Answer(verify.Sequence, verify.Expected, true, "the block was not looked at");
                break;
            case Effect.VerifyGate { Expected: Gate.Fenced } verify:
                Fence(verify.Term, Instant.Forever, false, (gate, isDone, detail) => Answer(verify.Sequence, gate, isDone, detail));
                break;
            case Effect.VerifyGate verify:
                Move(verify.Sequence, verify.Expected, verify.Term);
                break;
            default:
                throw new InvalidOperationException($"no gate effect: {effect.GetType().Name}");
        }
    }

    private void Move(long sequence, Gate to, Term term)
    {
        if (world.Network.GateFails())
        {
            Answer(sequence, host.Block, false, "the block could not be written");
            return;
        }

        host.SetBlock(to, term);
        host.EndSessions();
        process.Later(world.Network.GateDelay(), () => Answer(sequence, to, host.Block == to, "moved"));
    }

    private void Open(long sequence, Term term, Instant notAfter)
    {
        if (IsLate(notAfter))
        {
            Answer(sequence, Gate.Fenced, false, "the opening came too late and was not begun");
            return;
        }

        if (world.Network.GateFails())
        {
            Answer(sequence, host.Block, false, "the block could not be written");
            return;
        }

        world.Checkers.Opening(host, term);
        host.SetBlock(Gate.ReadWrite, term);
        process.Later(world.Network.GateDelay(), () =>
        {
            if (IsLate(notAfter))
            {
                Fence(term, host.Now, true, (_, _, _) => Answer(sequence, Gate.Fenced, false, "the opening ended too late"));
            }
            else
            {
                Answer(sequence, Gate.ReadWrite, host.Block == Gate.ReadWrite, "open");
            }
        });
    }

    private bool IsLate(Instant notAfter) =>
        !world.Mutation.OpensLate && (host.Now >= notAfter || host.Now >= process.Watchdog.FenceAt);

    /// <summary>Reject at once, end the sessions, confirm; when that cannot be confirmed in time, stop the postmaster.</summary>
    private void Fence(Term term, Instant finishBy, bool mayStop, Action<Gate, bool, string> done, bool beginsStop = false)
    {
        var isWritten = !world.Network.GateFails();
        if (isWritten)
        {
            host.SetBlock(Gate.Fenced, term);
        }

        process.Later(world.Network.GateDelay(), () =>
        {
            if (isWritten && !host.Server.IsHung)
            {
                if (beginsStop && host.Server.IsRunning && !world.Network.GateFails())
                {
                    host.StopSoon(world.Network.GateDelay());
                }

                if (!world.Mutation.SparesAuthenticating)
                {
                    host.EndSessions();
                }

                done(host.Block, host.Block == Gate.Fenced, "fenced");
                return;
            }

            if (!mayStop)
            {
                done(host.Block, false, "not confirmed");
                return;
            }

            var left = finishBy > host.Now ? Span.Of(finishBy - host.Now) : 0;
            process.Later(left, () =>
            {
                world.Note(host.Name, "the fence stops the postmaster");
                host.StopServer(isClean: false);
                done(host.Block, host.Block == Gate.Fenced, "the postmaster was stopped");
            });
        });
    }

    private void Answer(long sequence, Gate gate, bool isConfirmed, string detail)
    {
        _isBusy = false;
        process.Post(new Input.GateApplied(sequence, gate, isConfirmed, detail));
        Begin();
    }
}
