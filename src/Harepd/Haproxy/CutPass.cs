using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// Takes this node's server out of HAProxy and ends its sessions, again and again until HAProxy states that none is left: a
/// client whose connection is being retried at the moment of the cut attaches afterwards. Thread-safe: it keeps nothing.
/// </summary>
internal sealed class CutPass(HaproxyTarget target, RuntimeDialogue dialogue, TimeSpan commandTimeout)
{
    /// <summary>Milliseconds between two looks at sessions that do not end; it begins with none.</summary>
    private const int SlowestLook = 15;

    /// <summary>
    /// Cuts the server in the write backend.
    /// </summary>
    /// <param name="blindly">
    /// Commands to send before anything was read. A reading first would cost a round trip, and its failure must not keep the cut
    /// from being tried. Empty to read first and send only the difference.
    /// </param>
    /// <param name="alsoReads">Judge the read backend in the same way; a server that is not in it is cut there.</param>
    /// <param name="until">Give up at this moment, boot-time clock; each exchange is bounded by the command timeout too.</param>
    /// <param name="mustHurry">True when something newer waits.</param>
    internal RouteOutcome Run(string[] blindly, bool alsoReads, Instant until, Func<bool> mustHurry)
    {
        var hasChanged = blindly.Length > 0;
        var last = RouteOutcome.Failed("");
        var pause = 0;
        var reading = dialogue.Do(blindly, Bound(until));
        while (reading.View is { } view)
        {
            if (HaproxyView.Find(view.Write, target.ServerName) is not { } own)
            {
                return RouteOutcome.Failed($"{target.WriteBackend} has no server {target.ServerName}", view);
            }

            var reads = alsoReads ? HaproxyView.Find(view.Read, target.ServerName) : null;
            string[] missing = [.. RouteCommands.Remaining(own), .. reads is null ? [] : RouteCommands.Remaining(reads)];
            if (missing.Length == 0 && !view.IsStopping)
            {
                return new RouteOutcome(true, "cut") { View = view, HasChanged = hasChanged };
            }

            last = Unfinished(view, own.IsCut ? reads ?? own : own) with { HasChanged = hasChanged };
            Thread.Sleep(pause);
            if (BootClock.Now >= until || mustHurry())
            {
                return last;
            }

            (pause, hasChanged) = (Math.Min(pause * 2 + 1, SlowestLook), true);
            reading = dialogue.Do(missing, Bound(until));
        }

        // The last exchange may have had no time left; what was read before it says more than "did not answer in time".
        return last.View is not null && BootClock.Now >= until ? last : RouteOutcome.Failed(reading.Reason);
    }

    private static RouteOutcome Unfinished(HaproxyView view, ServerRow row) =>
        RouteOutcome.Failed(view.IsStopping ? "cut, but a stopping worker answers" : row.IsCut ? "cut, sessions are still ending" : $"not cut: {view.Says(row)}", view);

    private Instant Bound(Instant until) => Instant.Min(until, BootClock.Now + commandTimeout);
}
