namespace Harepd.Haproxy;

/// <summary>
/// Decides what the read backend lacks; a maint or drain put by an operator is respected until the operator makes the server ready again.
/// Not thread-safe: one per lane.
/// </summary>
internal sealed class ReadSteering(HaproxyTarget target)
{
    private readonly OperatorWish _operator = new();

    /// <summary>Commands for the difference; empty when there is none or it is not ours to change.</summary>
    internal string[] Next(RouteDesire desire, HaproxyView view)
    {
        if (!target.SteersReads || HaproxyView.Find(view.Read, target.ServerName) is not { } own)
        {
            return [];
        }

        _operator.Look(own, view.Pid);
        return desire.ReadReady ? Opening(own) : Closing(own, desire.EndReadSessions);
    }

    /// <summary>The server is being taken out without reading first: what is found closed afterwards is our own doing, no operator's.</summary>
    internal void CutBlindly() => _operator.ForgetOpen();

    /// <summary>Remembers what an accepted batch, or the state found, leaves behind.</summary>
    internal void Left(HaproxyView view)
    {
        if (target.SteersReads && HaproxyView.Find(view.Read, target.ServerName) is { } own)
        {
            _operator.Left(own, view.Pid);
        }
    }

    /// <summary>True when the read backend is as desired, or as the operator wants it; the reason otherwise.</summary>
    internal bool IsDone(RouteDesire desire, HaproxyView view, out string reason)
    {
        reason = "";
        if (!target.SteersReads)
        {
            return true;
        }

        if (HaproxyView.Find(view.Read, target.ServerName) is not { } own)
        {
            // Nothing to close is closed; nothing to open is the operator's mistake.
            reason = desire.ReadReady ? $"{target.ReadBackend} has no server {target.ServerName}" : "";
            return !desire.ReadReady;
        }

        var isDone = desire.ReadReady ? own.IsOpen || _operator.IsHeld : own.IsCut && !(desire.EndReadSessions && own.Sessions > 0);
        reason = isDone ? _operator.IsHeld && desire.ReadReady ? "reads stay out: an operator put them in maintenance" : ""
            : desire.ReadReady && own.Admin.HasFlag(AdminState.InheritedMaint) ? $"{own.Backend}/{own.Name} follows another server (track)"
            : $"{own.Backend}/{own.Name} is {own.Admin} although {(desire.ReadReady ? "ready" : "maint")} was asked";
        return isDone;
    }

    private string[] Opening(ServerRow own) =>
        own.IsOpen || _operator.IsHeld ? [] : [RouteCommands.Open(target.ReadBackend!, own.Name)];

    private string[] Closing(ServerRow own, bool endSessions) =>
        own.IsCut && !(endSessions && own.Sessions > 0) ? []
        : endSessions ? RouteCommands.Cut(target.ReadBackend!, own.Name)
        : [RouteCommands.Close(target.ReadBackend!, own.Name)];
}
