namespace Harepd.Haproxy;

/// <summary>
/// Tells an operator's own maint or drain from this daemon's: the server was left open in this very worker, and is found closed by command. Kept until
/// the server is found open again. What was there before the daemon began counts as its own, or a server cut by an earlier run would stay out for ever.
/// Not thread-safe: one for each server and lane.
/// </summary>
internal sealed class OperatorWish
{
    private bool _leftOpen;
    private int _pid;

    /// <summary>True while an operator keeps this server out.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Looks at the server as it was found.</summary>
    internal bool Look(ServerRow own, int pid)
    {
        // A worker started since then did not get its state from a command: "disabled" in its configuration is no operator.
        var isForced = (own.Admin & (AdminState.ForcedMaint | AdminState.ForcedDrain)) != AdminState.None;
        IsHeld = !own.IsOpen && isForced && (IsHeld || (_leftOpen && pid == _pid));
        _pid = pid;
        return IsHeld;
    }

    /// <summary>Remembers how the server is left.</summary>
    internal void Left(ServerRow own, int pid) => (_leftOpen, _pid) = (own.IsOpen, pid);

    /// <summary>The server was or will be closed by ourselves: what is found closed next is no operator's.</summary>
    internal void ForgetOpen() => _leftOpen = false;

    /// <summary>A new lease overrides what was wished under the old one.</summary>
    internal void Reset() => (IsHeld, _leftOpen) = (false, false);
}
