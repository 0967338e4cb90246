using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// A primary that crashed is not left lying. Where nobody takes over it is started again where it is, under a lease that is asked for first; where somebody did, it is started
/// shut, to be made that one's standby. A server that was stopped cleanly, or that an operator stopped, tends or paused, stays as it is.
/// </summary>
internal sealed partial class Turn
{
    private void SettleCrash()
    {
        NoteLastWords();
        var crash = _state.Crash;
        if (!LiesCrashed())
        {
            _state = crash.Since is null && crash.NextWake == Instant.Forever ? _state : _state with { Crash = crash with { Since = null, NextWake = Instant.Forever } };
            return;
        }

        var since = crash.Since ?? now;
        var notBefore = StartNotBefore();
        crash = crash with { Since = since, IsGivenUp = crash.IsGivenUp || notBefore > now };
        _state = _state with { Crash = crash };
        var holder = Holder();
        var due = Instant.Max(holder is null ? StartDue(since) : ReturnDue(since, holder), notBefore);
        _state = _state with { Crash = crash with { NextWake = due } };
        if (now < due)
        {
            return;
        }

        // What begins here goes on with the next step.
        _state = _state with { Crash = _state.Crash with { Since = null, NextWake = now + TimeSpan.FromTicks(1), Starts = FlapGuard.With(crash.Starts, now) } };
        if (holder is null)
        {
            StartUnderLease();
        }
        else
        {
            StartShut(holder);
        }
    }

    private void NoteLastWords()
    {
        if (_state.Server is { Health: ServerHealth.Running, InRecovery: { } recovers, WriteLsn: var written, Timeline: var timeline })
        {
            var crash = _state.Crash;
            var next = crash with { WasSeen = !recovers, Written = written, Timeline = timeline, IsGivenUp = false };
            _state = next == crash ? _state : _state with { Crash = next };
        }
    }

    private bool LiesCrashed() =>
        settings.Failover is { Promoter: Promoter.Harepd, StartsCrashed: true }
        && _state.Server is { Health: ServerHealth.Down, OnDisk: { IsStandby: false } disk } && disk.End == default && UnderAfterCrash() is not null
        && IsIdle() && !_state.Orders.IsMaintained && _state.Rejoin is { Awaited: 0, IsBroken: false } && _state.Unfinished is null
        && now >= _state.Promotion.PausedUntil && IsGateShut();

    /// <summary>What the crashed server wrote, by its data folder or by this run's last look, which may know of a later timeline; null where neither is certain.</summary>
    private Candidacy? UnderAfterCrash() =>
        _state.Crash is { WasSeen: true, Timeline: { IsUnknown: false } seen } && seen.Timeline > _state.Server.OnDisk!.Timeline.Timeline && !_state.Server.SystemId.IsUnknown
            ? new Candidacy(seen, _state.Server.SystemId)
            : UnderOnDisk();

    /// <summary>Nobody is known to hold the lease. Whoever could take over has the time for it that a restart by other means has, too.</summary>
    private Instant StartDue(Instant since) =>
        _state.Voter?.LiveAt(now) is { } live && live.Owner != _state.Lease!.Me ? Instant.Max(live.Expiry, since)
        : !_state.Crash.WasSeen ? since + settings.Failover.StopGrace
        : settings.Failover.RestartsFirst && !_state.Crash.IsGivenUp ? since
        : since + (CouldAnybodyTakeOver() ? settings.Failover.StopGrace : settings.SilentAfter);

    private Instant ReturnDue(Instant since, NodeReport holder) =>
        settings.Failover.RejoinsItself && holder.System == _state.Server.SystemId && holder.Timeline.Timeline > UnderAfterCrash()!.Timeline.Timeline
            ? since + settings.Moves.RejoinAfter
            : Instant.Forever;

    /// <summary>A server that crashes again and again is started more and more rarely, as failovers are.</summary>
    private Instant StartNotBefore()
    {
        var starts = _state.Crash.Starts;
        return starts.IsEmpty ? Instant.Zero : Instant.Max(starts[^1] + settings.Moves.Spare, FlapGuard.NotBefore(starts, settings.Failover, now));
    }

    private bool CouldAnybodyTakeOver() => _state.View.Reports.Values.Any(seen => seen.Report is { IsPromotable: true } report
        && report.Member != settings.Self
        && _state.Promotion.Sightings.GetValueOrDefault(report.Member).Sight == Sight.Standby
        && report.Timeline == UnderAfterCrash()!.Timeline
        && report.WriteLsn.Value + (ulong)settings.Failover.MaxLagBytes >= _state.Crash.Written.Value);

    private void StartUnderLease()
    {
        var limit = settings.Failover.RestartsFirst ? settings.Failover.StopGrace : settings.Moves.Start;
        var reason = settings.Failover.RestartsFirst ? "onCrash: restart" : "nobody took over";
        Note(DecisionKind.CrashedStarts, _state.HighestTerm, Describe(_state.Server), "primary", $"{reason}; within {limit.TotalSeconds:0.#} s, under a lease");
        ComeBack(new MoveOrder(0, "", MoveOrder.DefaultPause, IsDryRun: false) { IsRestart = true, Actor = DecisionActor.Daemon }, UnderAfterCrash()!, limit);
    }

    private void StartShut(NodeReport holder)
    {
        var sequence = _state.OrderSequence + 1;
        var until = now + settings.Moves.Start;
        var start = new ServerStart(0, sequence, now, until + settings.Moves.Spare) { IsOwn = true };
        _state = _state with { OrderSequence = sequence, Orders = _state.Orders with { Start = start } };
        _opens.Add(new Effect.StartServer(sequence, _state.HighestTerm, "", 0, until) { IsShut = true });
        Note(DecisionKind.CrashedStarts, holder.HeldTerm, Describe(_state.Server), "shut", $"{holder.NodeName} has taken its place, and is to be followed");
    }
}
