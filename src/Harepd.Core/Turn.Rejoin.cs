using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// An old primary that came back beside another holder: shut since it came, it is made that one's standby, by itself or on an operator's word. The same for a
/// standby that received from an old primary what the holder never had. What only they have is lost by that, and was lost already.
/// </summary>
internal sealed partial class Turn
{
    private void SettleRejoin()
    {
        var rejoin = _state.Rejoin;
        if (rejoin.Awaited != 0)
        {
            _state = now < rejoin.Ends ? _state : _state with { Rejoin = rejoin with { Awaited = 0, IsBroken = true, NextWake = Instant.Forever } };
            return;
        }

        if (Supplanter() is not { } holder)
        {
            if (rejoin.Since is not null || rejoin.IsOrdered)
            {
                _state = _state with { Rejoin = rejoin with { Since = null, IsAdvised = false, IsOrdered = false, NextWake = Instant.Forever } };
            }

            return;
        }

        var since = rejoin.Beside == holder.HeldTerm ? rejoin.Since ?? now : now;
        var due = Instant.Max(since + settings.Moves.RejoinAfter, rejoin.NotBefore);
        _state = _state with { Rejoin = rejoin with { Since = since, Beside = holder.HeldTerm, NextWake = due } };
        if (now >= due && !rejoin.IsBroken)
        {
            BeginRejoin(holder);
        }
    }

    private void BeginRejoin(NodeReport holder)
    {
        var rejoin = _state.Rejoin;
        var actor = rejoin.IsOrdered ? DecisionActor.Operator : DecisionActor.Daemon;
        var role = _state.Server.InRecovery == true ? "standby" : "primary";
        var what = role == "primary"
            ? $"{holder.NodeName} holds the lease on timeline {holder.Timeline}, this server is a primary on {_state.Server.Timeline}"
            : $"{holder.NodeName} holds the lease on timeline {holder.Timeline}, this standby received {_state.Server.WriteLsn} on {_state.Server.Timeline}, which is not part of it";
        var mayByItself = settings.Failover.RejoinsItself && now >= _state.Promotion.PausedUntil && !_state.Orders.IsMaintained;
        if (!mayByItself && !rejoin.IsOrdered)
        {
            if (!rejoin.IsAdvised)
            {
                Note(DecisionKind.RejoinAdvised, holder.HeldTerm, role, "standby", $"{what}; harepd rejoin makes it a standby (failover.rejoin: advise)");
            }

            var again = settings.Failover.RejoinsItself ? Instant.Max(_state.Promotion.PausedUntil, _state.Orders.MaintainedUntil) : Instant.Forever;
            _state = _state with { Rejoin = rejoin with { IsAdvised = true, NextWake = again } };
            return;
        }

        var sequence = _state.OrderSequence + 1;
        var ends = now + settings.Moves.Rejoin;
        _state = _state with
        {
            OrderSequence = sequence,
            Rejoin = rejoin with { Awaited = sequence, Ends = ends + settings.Moves.Spare, IsOrdered = false, NextWake = ends + settings.Moves.Spare },
        };
        _closes.Add(new Effect.RejoinServer(sequence, holder.HeldTerm, holder.Address, holder.ServerPort, holder.Timeline, ends) { Received = _state.Server.WriteLsn });
        Note(DecisionKind.RejoinBegins, holder.HeldTerm, role, "standby", what, actor: actor);
    }

    private void TakeRejoinDone(Input.OrderDone done)
    {
        var rejoin = _state.Rejoin;
        if (rejoin.Awaited == 0 || rejoin.Awaited != done.Sequence)
        {
            return;
        }

        var notBefore = now + (done.IsDone ? settings.Moves.RejoinAfter : settings.Moves.RejoinRetry);
        _state = _state with
        {
            Rejoin = rejoin with { Awaited = 0, Ends = Instant.Forever, NextWake = Instant.Forever, NotBefore = notBefore, IsBroken = done.IsFinal },
        };
        _sends.Add(new Effect.Look());
        var took = now - (rejoin.Ends - settings.Moves.Spare - settings.Moves.Rejoin);
        Note(done.IsDone ? DecisionKind.RejoinDone : DecisionKind.RejoinFailed, rejoin.Beside, "primary", done.IsDone ? "standby" : "", done.Detail, took);
    }

    /// <summary>
    /// The holder beside which the own server stands as a primary of before, or as a standby that went further than where the holder's timeline left its own: a
    /// later timeline of the same system, held and served, while this member has nothing, wants nothing and lets nobody write.
    /// </summary>
    private NodeReport? Supplanter()
    {
        var server = _state.Server;
        var isSeen = !server.Timeline.IsUnknown && now - server.At <= settings.Freshness;
        var isShut = _state.Gate is { IsKnown: true, Now: Gate.Fenced, Asked: Gate.Fenced };
        if (settings.Failover.Promoter != Promoter.Harepd || !IsIdle() || !isSeen || !isShut || Holder() is not { Address.Length: > 0 } holder || holder.System != server.SystemId)
        {
            return null;
        }

        var isOldPrimary = server.IsWritable && holder.Timeline.Timeline > server.Timeline.Timeline;
        return isOldPrimary || IsAstray(server, holder.Timeline) ? holder : null;
    }

    /// <summary>This member has nothing, wants nothing and is told nothing.</summary>
    private bool IsIdle() => _state.Lease is { Held: null, IsYielding: false } && _state.Move is not { IsOver: false } && _state.Promotion is { Current: null, IsPending: false }
        && !_state.IsStopping && _state.Orders is { IsShut: false, Start: null };

    /// <summary>What this standby shows its readers is not what the holder has.</summary>
    private bool IsAstrayNow() => _state.Server.InRecovery == true && Holder() is { } holder && holder.System == _state.Server.SystemId && IsAstray(_state.Server, holder.Timeline);

    /// <summary>A standby that has what the holder's timeline left out, and so can never follow it. A timeline further away leaves that open.</summary>
    private static bool IsAstray(ServerObservation server, TimelinePoint holder) => server is { Health: ServerHealth.Running, InRecovery: true }
        && holder.Timeline == server.Timeline.Timeline + 1 && server.WriteLsn > holder.SwitchLsn;
}
