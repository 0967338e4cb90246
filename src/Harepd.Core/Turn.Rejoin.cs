using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// An old primary that came back beside another holder: shut since it came, it is made that one's standby, by itself or on an operator's word. What it wrote
/// and the holder never had is lost by that, and was lost already.
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
        var what = $"{holder.NodeName} holds the lease on timeline {holder.Timeline}, this server is a primary on {_state.Server.Timeline}";
        var mayByItself = settings.Failover.RejoinsItself && now >= _state.Promotion.PausedUntil;
        if (!mayByItself && !rejoin.IsOrdered)
        {
            if (!rejoin.IsAdvised)
            {
                Note(DecisionKind.RejoinAdvised, holder.HeldTerm, "primary", "standby", $"{what}; harepd rejoin makes it a standby (failover.rejoin: advise)");
            }

            var again = settings.Failover.RejoinsItself ? _state.Promotion.PausedUntil : Instant.Forever;
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
        _closes.Add(new Effect.RejoinServer(sequence, holder.HeldTerm, holder.Address, holder.ServerPort, holder.Timeline, ends));
        Note(DecisionKind.RejoinBegins, holder.HeldTerm, "primary", "standby", what, actor: actor);
    }

    private void TakeRejoinDone(Input.OrderDone done)
    {
        var rejoin = _state.Rejoin;
        if (rejoin.Awaited == 0 || rejoin.Awaited != done.Sequence)
        {
            return;
        }

        _state = _state with
        {
            Rejoin = rejoin with { Awaited = 0, Ends = Instant.Forever, NextWake = Instant.Forever, NotBefore = now + settings.Moves.RejoinRetry, IsBroken = done.IsFinal },
        };
        _sends.Add(new Effect.Look());
        var took = now - (rejoin.Ends - settings.Moves.Spare - settings.Moves.Rejoin);
        Note(done.IsDone ? DecisionKind.RejoinDone : DecisionKind.RejoinFailed, rejoin.Beside, "primary", done.IsDone ? "standby" : "", done.Detail, took);
    }

    /// <summary>
    /// The holder beside which the own server stands as a primary of before: a later timeline of the same system, held and served, while this member has
    /// nothing, wants nothing and is shut.
    /// </summary>
    private NodeReport? Supplanter()
    {
        var server = _state.Server;
        var isIdle = _state.Lease is { Held: null, IsYielding: false } && _state.Move is not { IsOver: false } && _state.Promotion is { Current: null, IsPending: false } && !_state.IsStopping;
        var isOldPrimary = server is { IsWritable: true, Timeline.IsUnknown: false } && now - server.At <= settings.Freshness;
        return settings.Failover.Promoter == Promoter.Harepd && isIdle && isOldPrimary && _state.Gate is { IsKnown: true, Now: Gate.Fenced, Asked: Gate.Fenced }
            && Holder() is { Address.Length: > 0 } holder && holder.System == server.SystemId && holder.Timeline.Timeline > server.Timeline.Timeline
                ? holder
                : null;
    }
}
