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

        if (!TryHold(Instant.Min(Soon, hold.Until), out var view, out var reason))
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
        else if ((row.Weight == 0 || !keeper.IsAlive) && !TryHold(Soon, out _, out _))
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
            _orphanSince = null;
        }
        else
        {
            _orphanSince ??= view!.At;
            var hasKeeper = HaproxyView.Find(view!.Write, HaproxyTarget.HoldServer) is { Sessions: not 0 };
            if (IsEngaged || !hasKeeper || view.At - _orphanSince.Value > Longest)
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

        var isGood = TrySlot(Soon, out _, out var reason);
        keeper.Close();
        return isGood ? "" : reason;
    }

    /// <summary>
    /// The keeper first: it is connected when connect returns, but in its slot a moment later, and before that nobody may be sent behind it.
    /// Then the difference, and the proof.
    /// </summary>
    private bool TryHold(Instant until, out HaproxyView? view, out string reason)
    {
        if (!TrySlot(until, out view, out reason) || IsHeld(view!))
        {
            return view is not null && IsHeld(view);
        }

        (view, reason) = (dialogue.Do(RouteCommands.Hold(target), Soon) is var after ? after.View : null, after.Reason);
        reason = view is not null && !IsHeld(view) ? $"not held: {view.Complaint}" : reason;
        return view is not null && IsHeld(view);
    }

    private bool TrySlot(Instant until, out HaproxyView? view, out string reason)
    {
        view = null;
        if (!keeper!.Open(until, out reason))
        {
            return false;
        }

        for (var pause = 0; ; pause = Math.Min(pause * 2 + 1, SlowestLook))
        {
            (view, reason) = (dialogue.Do([], until) is var reading ? reading.View : null, reading.Reason);
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

                continue;
            }

            if (row.Sessions > 0)
            {
                return true;
            }

            reason = "the keeper does not get the slot of the hold server";
            if (BootClock.Now >= until)
            {
                return false;
            }

            Thread.Sleep(pause);
        }
    }

    private bool IsHeld(HaproxyView view) =>
        HaproxyView.Find(view.Write, HaproxyTarget.HoldServer) is { Weight: > 0, Sessions: > 0 }
        && HaproxyView.Find(view.Write, target.ServerName) is { IsOpen: false };
}
