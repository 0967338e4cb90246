using System.Collections.Immutable;
using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// The hold at one HAProxy: a server of one slot, kept busy, that everybody else queues behind (FIGURES section 3). Engaged for a planned move and
/// released by whoever opens a server, by its deadline, by a lane that finds it without an owner, or by the end of its keeper.
/// Run by the lane's thread alone; it never opens a server.
/// </summary>
internal sealed class HoldPass(HaproxyTarget target, RuntimeDialogue dialogue, HoldKeeper? keeper, TimeSpan commandTimeout) : IDisposable
{
    /// <summary>No hold lasts this long; one that is seen for longer belongs to nobody. Above the bound that the generated configuration sets.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    private const int SlowestLook = 10;
    private long _engaged;
    private long _over;
    private int _pid;
    private Instant? _orphanSince;
    private bool _hasKeeper = true;

    /// <summary>True while clients wait here by this lane's doing.</summary>
    public bool IsEngaged => _engaged != 0;

    private Instant Soon => BootClock.Now + commandTimeout;

    /// <summary>True while this wish is neither over nor failed.</summary>
    internal bool Wants(HoldDesire? hold) => hold is not null && hold.Sequence > _over && BootClock.Now < hold.Until;

    /// <summary>
    /// Engages, or looks whether it still stands. On failure the wish is over and its owner told; the caller then goes on as without it,
    /// and the route is what the desire says.
    /// </summary>
    internal RouteOutcome Engage(HoldDesire hold, Term term)
    {
        if (hold.Term != term)
        {
            return Drop(hold, $"term {hold.Term} is not the present {term}");
        }

        if (keeper is null)
        {
            return Drop(hold, "no hold is configured, clients will be cut");
        }

        if (!TryHold(Instant.Min(Soon, hold.Until), isTrial: false, out var view, out var reason))
        {
            return Drop(hold, reason);
        }

        var isNew = _engaged != hold.Sequence;
        (_engaged, _pid) = (hold.Sequence, view!.Pid);
        if (isNew)
        {
            hold.Tell(true, "held");
        }

        return new RouteOutcome(true, "held, new clients wait") { View = view, HasChanged = isNew };
    }

    /// <summary>
    /// Keeps the hold while this node's server is cut. It is over when another server takes clients, or when somebody released it; a reload of
    /// HAProxy forgets it, and then it is engaged again.
    /// </summary>
    internal void Keep(HoldDesire hold, HaproxyView view)
    {
        if (_engaged != hold.Sequence)
        {
            Drop(hold, "the server was cut before");
            Leave(view);
            return;
        }

        var row = HaproxyView.Find(view.Write, HaproxyTarget.HoldServer);
        var isTaken = view.Write.Any(r => RouteCommands.IsRival(target, r) && r.IsServing);
        var isReleased = row is not { Weight: > 0 } && view.Pid == _pid;
        if (row is null || isTaken || isReleased || keeper is null)
        {
            Leave(view);
        }
        else if ((row.Weight == 0 || !keeper.IsAlive) && !TryHold(Soon, isTrial: false, out _, out _))
        {
            Leave(view);
        }
        else
        {
            _pid = view.Pid;
        }
    }

    /// <summary>
    /// Ends this lane's hold, if there is one, and one that belongs to nobody: without its keeper, or older than any hold may be.
    /// The keeper goes last, and goes even when HAProxy cannot be asked: then HAProxy itself lets the waiting ones go.
    /// </summary>
    internal void Leave(HaproxyView? view)
    {
        ImmutableArray<string> release = view is null ? [] : [.. RouteCommands.ReleaseHold(target, view.Write)];
        if (release.IsEmpty)
        {
            (_orphanSince, _hasKeeper) = (null, true);
        }
        else
        {
            // One keeper that takes over from another is out of sight for a moment: a single look without one proves nothing.
            var hadKeeper = _hasKeeper;
            _hasKeeper = HaproxyView.Find(view!.Write, HaproxyTarget.HoldServer) is { Sessions: not 0 };
            _orphanSince ??= view.At;
            if (IsEngaged || !(hadKeeper || _hasKeeper) || view.At - _orphanSince.Value > Longest)
            {
                dialogue.Do(release.AsSpan(), Soon);
            }
        }

        (_over, _engaged) = (Math.Max(_over, _engaged), 0);
        keeper?.Close();
    }

    /// <summary>Ends a hold that stands; clients that wait are let go.</summary>
    public void Dispose()
    {
        if (IsEngaged)
        {
            Leave(dialogue.Do([], Soon).View);
        }

        keeper?.Dispose();
    }

    private RouteOutcome Drop(HoldDesire hold, string reason)
    {
        _over = Math.Max(_over, hold.Sequence);
        var wasTold = _engaged == hold.Sequence;
        if (!wasTold)
        {
            hold.Tell(false, reason);
        }

        return RouteOutcome.Failed($"no hold: {reason}");
    }

    /// <summary>Puts the keeper in its slot and takes it out again, for <c>harepd check</c>; empty, or why a hold would fail.</summary>
    internal string Try()
    {
        if (keeper is null)
        {
            return "no hold is configured";
        }

        var isGood = TryHold(Soon, isTrial: true, out _, out var reason);
        keeper.Close();
        return isGood ? "" : reason;
    }

    /// <summary>
    /// The keeper first: it is connected when connect returns, but in its slot a moment later, and before that nobody may be sent behind it.
    /// Then the difference, and the proof. A keeper that takes over from another one is out of sight for a moment, so a look is repeated.
    /// </summary>
    private bool TryHold(Instant until, bool isTrial, out HaproxyView? view, out string reason)
    {
        view = null;
        if (!keeper!.Open(until, out reason))
        {
            return false;
        }

        string[] commands = [];
        for (var pause = 0; ; pause = Math.Min(pause * 2 + 1, SlowestLook))
        {
            (view, reason) = dialogue.Do(commands, until);
            if (view is null)
            {
                return false;
            }

            if (HaproxyView.Find(view.Write, HaproxyTarget.HoldServer) is not { } row)
            {
                reason = $"{target.WriteBackend} has no server {HaproxyTarget.HoldServer}";
                return false;
            }

            if (IsEngaged && view.Pid != _pid)
            {
                // The keeper sits in the worker of before a reload. Whoever waits there can no longer be handed to anybody: let go, they come again.
                _pid = view.Pid;
                keeper.Close();
                if (!keeper.Open(until, out reason))
                {
                    return false;
                }

                commands = [];
                continue;
            }

            if (isTrial ? row.Sessions > 0 : IsHeld(view))
            {
                return true;
            }

            reason = row.Sessions > 0 ? $"not held: {view.Says(row)}" : "the keeper does not get the slot of the hold server";
            if (BootClock.Now >= until)
            {
                return false;
            }

            commands = row.Sessions > 0 ? RouteCommands.Hold(target) : [];
            Thread.Sleep(pause);
        }
    }

    private bool IsHeld(HaproxyView view) =>
        HaproxyView.Find(view.Write, HaproxyTarget.HoldServer) is { Weight: > 0, Sessions: > 0 }
        && HaproxyView.Find(view.Write, target.ServerName) is { IsOpen: false };
}
