using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>
/// The door as a daemon sees it that was stopped and goes on: where the guard has shut the gate meanwhile, the daemon's own fence only makes sure,
/// and must not stop the postmaster because a moment was too short to be told so.
/// </summary>
/// <param name="door">What is moved.</param>
/// <param name="hasShut">Whether the guard has confirmed its fence for the lease that is over.</param>
internal sealed class UnhurriedDoor(IGateDoor door, Func<bool> hasShut) : IGateDoor
{
    private static readonly TimeSpan Unhurried = TimeSpan.FromSeconds(2);

    /// <summary>By when a fence must be confirmed before it stops the postmaster, boot-time clock.</summary>
    public static Instant Deadline(Instant asked, bool hasShut) => hasShut ? Instant.Max(asked, BootClock.Now + Unhurried) : asked;

    public GateOutcome Set(Gate to, Term term, Instant notAfter) => door.Set(to, term, notAfter);

    public GateOutcome Open(Gate to, Term term, Instant notAfter) => door.Open(to, term, notAfter);

    public void Flush() => door.Flush();

    public GateOutcome Fence(Term term, Instant finishBy, bool mayStop, string reason, bool beginsStop = false) =>
        door.Fence(term, Deadline(finishBy, hasShut()), mayStop, reason, beginsStop);
}
