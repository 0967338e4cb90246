using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>What is seen here and heard from others, and what is told about it.</summary>
internal sealed partial class Turn
{
    private void TakeObservation(ServerObservation server)
    {
        // A reading begun before a death that was seen speaks of the dead.
        if (server.At <= _state.IgnoreBefore)
        {
            return;
        }

        var before = _state.Server;
        var isTrouble = LocalHealth.IsTrouble(server.Health);
        _state = _state with
        {
            Server = server,
            TroubleSince = isTrouble ? _state.TroubleSince ?? now : null,
        };
        TakeReadability(server);
        TakeSynchrony(server);
        SettlePending(before, server);
        if (before.Health != server.Health || before.InRecovery != server.InRecovery)
        {
            Note(DecisionKind.ServerChanged, _state.HighestTerm, Describe(before), Describe(server), server.Detail);
            LookAtGateAgain(before, server);
        }
    }

    /// <summary>A server that came back may have loaded another file than ours: the gate is looked at again at once.</summary>
    private void LookAtGateAgain(ServerObservation before, ServerObservation server)
    {
        var cameBack = server.Health == ServerHealth.Running && before.Health is not ServerHealth.Running;
        if (cameBack && !_state.Gate.IsPending)
        {
            _state = _state with { Gate = _state.Gate with { NextLook = now } };
        }
    }

    private void TakeDeath(string detail)
    {
        var before = _state.Server;
        if (before.Health == ServerHealth.StoppedCleanly && _state.Move is { IsOver: false, Step: MoveStep.HandOver or MoveStep.TakeOver or MoveStep.Halt })
        {
            // The order to stop it was answered first.
            return;
        }

        var dead = new ServerObservation { At = now, Health = ServerHealth.Down, SystemId = before.SystemId, Timeline = before.Timeline, WriteLsn = before.WriteLsn, Detail = detail };
        _state = _state with { Server = dead, TroubleSince = null, IgnoreBefore = now };
        TakeReadability(dead);
        SettlePending(before, dead);
        Note(DecisionKind.ServerChanged, _state.HighestTerm, Describe(before), Describe(dead), detail);
    }

    private void TakeReports(ImmutableArray<NodeReport> reports)
    {
        foreach (var report in reports)
        {
            if (report.Member == settings.Self && IsMine())
            {
                // An older run of this member is still being told about: speak above it.
                _state = _state with { ReportVersion = Math.Max(_state.ReportVersion, report.Version) };
                continue;
            }

            // The candidate's process of this member knows nothing of its voter's disk; what is told on does.
            var told = report.Member == settings.Self && _state.Voter is { } voter ? report with { Noted = voter.Timeline, NotedVersion = report.Version, NotedAge = TimeSpan.Zero } : report;
            _state = _state with
            {
                View = _state.View.Merge(told, settings.Membership, now),
                HighestTerm = Max(_state.HighestTerm, report.HeldTerm),
            };
            HearQuestion(report);
            if (report.Pause is { } pause && settings.Membership.Everyone.Contains(report.Member))
            {
                TakePause(pause.Number, now - TimeSpan.FromTicks(Math.Clamp(report.Age.Ticks, 0, TimeSpan.TicksPerDay)), pause.For);
            }
        }

        // The next ballot must be above every term that was ever heard of, or its effects would be refused as old (R11).
        if (_state.Lease is { } lease && lease.Highest.Round < _state.HighestTerm.Value)
        {
            _state = _state with { Lease = lease with { Highest = Ballot.OfTerm(_state.HighestTerm) } };
        }

        NoteTwoPrimaries();
        NoteServing(reports);
    }

    /// <summary>Every member keeps who served when, so that the history of the cluster outlives any of them. Once a lease that serves.</summary>
    private void NoteServing(ImmutableArray<NodeReport> reports)
    {
        foreach (var report in reports)
        {
            var isServing = report is { Gate: Gate.ReadWrite, InRecovery: false } && report.Member != settings.Self && settings.Membership.Everyone.Contains(report.Member);
            if (isServing && report.HeldTerm > (_state.Serving?.Term ?? Term.None) && report.HeldTerm >= _state.HighestTerm)
            {
                var before = _state.Serving is { } last ? $"{last.Name} on {last.Timeline}" : "";
                _state = _state with { Serving = new SeenHolder(report.HeldTerm, report.NodeName, report.Timeline) };
                Note(new Decision(DecisionKind.HolderSeen, report.HeldTerm, before, $"{report.NodeName} on {report.Timeline}", "it holds the lease, and its gate is open")
                {
                    Timeline = report.Timeline,
                    Lsn = report.WriteLsn,
                });
            }
        }
    }

    private bool IsMine() => _state.Lease is not null || settings.IsWitness;

    private void NoteTwoPrimaries()
    {
        var before = Suspicion.Writable(_before.View, now, settings.Freshness).Count;
        var writable = Suspicion.Writable(_state.View, now, settings.Freshness);
        if (writable.Count > 1 && before <= 1)
        {
            var names = string.Join(", ", writable.Select(report => $"{report.NodeName} ({report.Gate}, term {report.HeldTerm})"));
            Note(DecisionKind.TwoPrimariesSeen, _state.HighestTerm, "", "", $"more than one server takes writes: {names}");
        }
    }

    private void SettleReport()
    {
        if (!IsMine())
        {
            _state = _state with { NextShare = now < _state.NextShare ? _state.NextShare : now + settings.ShareInterval };
            return;
        }

        var report = MakeReport();
        var isNews = _state.LastReport is not { } last || IsNews(last, report);
        if (!isNews && now < _state.NextShare)
        {
            return;
        }

        _state = _state with
        {
            ReportVersion = report.Version,
            LastReport = report,
            View = _state.View.Merge(report, settings.Membership, now),
            NextShare = now + settings.ShareInterval,
        };
        _sends.Add(new Effect.Tell(report));
    }

    private NodeReport MakeReport()
    {
        var server = _state.Server;
        return new NodeReport
        {
            Member = settings.Self,
            Incarnation = _state.Lease?.Me.Incarnation ?? default,
            Version = _state.ReportVersion + 1,
            Age = now - server.At is var age && age > TimeSpan.Zero && !settings.IsWitness ? age : TimeSpan.Zero,
            NodeName = settings.NodeName,
            Address = settings.Address,
            IsWitness = settings.IsWitness,
            Health = server.Health,
            InRecovery = server.InRecovery,
            Timeline = server.Timeline,
            System = server.SystemId,
            WriteLsn = server.WriteLsn,
            ReplayLsn = server.ReplayLsn,
            ReplayDelay = server.ReplayDelay,
            IsStreaming = server.IsStreaming,
            UpstreamHost = server.UpstreamHost,
            Gate = _state.Gate.IsKnown ? _state.Gate.Now : Gate.Fenced,
            HeldTerm = _state.Lease?.Held?.Term ?? Term.None,
            Reason = _state.Gate.Reason,
            IsRogue = _state.IsRogue,
            IsShut = _state.Gate.IsShutForWrites && _state.Lease?.IsYielding == false,
            IsPromotable = !_state.IsStopping && IsPromotableNow(),
            IsGivenUp = _state.Crash.IsGivenUp,
            Priority = settings.Failover.Priority,
            Failover = MoveInWords() ?? (_state.Promotion.Verdict.Answer == FailoverAnswer.Quiet ? "" : _state.Promotion.Verdict.Reason),
            UpstreamSilence = server.UpstreamSilence,
            ServerPort = settings.ServerPort,
            PromotedAge = PromotedAge(),
            Noted = _state.Voter?.Timeline,
            NotedVersion = _state.Voter is null ? 0 : _state.ReportVersion + 1,
            HasReceived = server is { InRecovery: true, HasReceived: true },
            AsksPositions = AsksPositions(),
            SeenAfter = SeenAfter(),
            InForce = server.InRecovery == false && _state.Synchrony.InForce is { IsNone: false } inForce ? inForce.ToString() : "",
            Stated = _state.Lease?.Held is { Under.Stated: { IsNone: false } stated } ? stated.ToString() : "",
            Synchronous = NamesOf(server, "sync"),
            Quorum = NamesOf(server, "quorum"),
            Offer = OfferNow(),
            OfferAnswer = OfferAnswerNow(),
            Pause = PauseNow(),
            Orders = OrdersNow(),
        };
    }

    /// <summary>Whether the others should hear at once; positions alone can wait for the next round.</summary>
    private static bool IsNews(NodeReport last, NodeReport next) =>
        last.Health != next.Health || last.InRecovery != next.InRecovery || last.Gate != next.Gate || last.HeldTerm != next.HeldTerm
        || last.Timeline != next.Timeline || last.IsRogue != next.IsRogue || last.IsStreaming != next.IsStreaming
        || !(next.Offer?.SaysLike(last.Offer) ?? last.Offer is null) || last.OfferAnswer != next.OfferAnswer
        || last.AsksPositions != next.AsksPositions || last.SeenAfter != next.SeenAfter || last.InForce != next.InForce || last.Stated != next.Stated
        || last.Pause?.Number != next.Pause?.Number
        || last.Orders?.IsMaintained != next.Orders?.IsMaintained || last.Orders?.IsFenced != next.Orders?.IsFenced || last.Orders?.IsStopped != next.Orders?.IsStopped
        || last.IsShut != next.IsShut || last.IsPromotable != next.IsPromotable || last.IsGivenUp != next.IsGivenUp
        || last.Failover != next.Failover || last.Synchronous != next.Synchronous || last.Quorum != next.Quorum;

    private static string Describe(ServerObservation server) => server.Health != ServerHealth.Running
        ? server.Health.ToString()
        : server.InRecovery switch { true => "standby", false => "primary", null => "running" };
}
