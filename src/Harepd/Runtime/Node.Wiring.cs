using System.Net;
using System.Runtime.CompilerServices;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Peers;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>The wiring of the edge: which room gets what the loop asks for, and which door leads to the mailbox.</summary>
internal sealed partial class Node
{
    private PeerLinkOptions LinkOptions => new()
    {
        VoteDeadline = _settings.Lease.ElectionTimeout,
        Tls = _tls is null ? null : () => _tls.Current,
        ServerName = _config.Grpc.ServerHostOverride,
    };

    /// <summary>Only the process that observes asks round, as with the 2021 daemon.</summary>
    private void StartInquiry(ILoggerFactory logs)
    {
        if (!_settings.HasCandidate)
        {
            return;
        }

        var round = new InquiryRound(
            (peer, token) => new GoInquiry(_config.Grpc.BindAddress.ToString(), -1, LinkOptions, _config.Grpc.ConnectionDeadline).AskAsync(peer, token),
            [.. _settings.Membership.Everyone.Where(member => member != _settings.Self)],
            FindClusterAsync,
            logs.CreateLogger("Inquiry"));
        _ = round.RunAsync(() => _config.WatchDog, _ending.Token);
    }

    private PeerLink Link(ILoggerFactory logs)
    {
        // A client process asks its own member's voter over the wire, because that one lives in the server process.
        var peers = _settings.Membership.Everyone.Where(member => member != _settings.Self || !_settings.HasVoter);
        return new PeerLink(
            new PeerIdentity(_settings.Membership, _settings.Self, _incarnation),
            peers,
            LinkOptions,
            reply => _mailbox.TryPost(new Input.VoteAnswered(reply)),
            reports => _mailbox.TryPost(new Input.Heard(reports)),
            logs.CreateLogger("Peers"));
    }

    private async Task<string?> OpenDoorsAsync(HarepdConfig config, ILoggerFactory logs, CancellationToken stop)
    {
        if (RuntimeFeature.IsDynamicCodeCompiled)
        {
            new Thread(RehearseWhenRenewed) { IsBackground = true, Name = "rehearsal" }.Start();
        }

        Loop.Start();
        _data?.Start();
        StartInquiry(logs);
        if (_settings.HasCandidate && (_door = ControlDoor.TryOpen(config.RunDir, _orders.Take, logs.CreateLogger("Control"), out var error)) is null)
        {
            return $"cannot open the local door: {error}";
        }

        return (_settings.HasVoter ? await OpenPeersAsync(config, logs, stop) : null) ?? await _status.OpenAsync(stop);
    }

    /// <summary>A resumed lease has little left and its first renewal wants the processor for itself: the rehearsal waits for it, or for its end.</summary>
    private void RehearseWhenRenewed()
    {
        var resumed = Loop.State.Lease?.Held;
        var until = BootClock.Now + _settings.Lease.MaxDuration;
        while (resumed is not null && Loop.State.Lease?.Held?.Deadline == resumed.Deadline && BootClock.Now < until)
        {
            Thread.Sleep(20);
        }

        Rehearsal.Play();
    }

    private async Task<string?> OpenPeersAsync(HarepdConfig config, ILoggerFactory logs, CancellationToken stop)
    {
        try
        {
            var options = new PeerServiceOptions
            {
                Bind = new IPEndPoint(config.Grpc.BindAddress, config.Grpc.BindPort),
                NodeName = config.NodeName,
                Address = config.Grpc.BindAddress.ToString(),
                InquiryDeadline = config.Grpc.ConnectionDeadline,
                Tls = _tls is null ? null : () => _tls.Current,
                RequiresClientCertificate = config.Grpc.Tls.ClientAuth == ClientAuth.Require,
            };
            _service = await PeerService.StartAsync(
                new PeerIdentity(_settings.Membership, _settings.Self, _incarnation), options, Handlers(), logs.CreateLogger("Peers"), stop);
            _ = _service.WarmUpAsync(stop);
            return null;
        }
        catch (IOException failure)
        {
            return $"cannot listen on {config.Grpc.BindAddress}:{config.Grpc.BindPort}: {failure.Message}";
        }
    }

    private PeerHandlers Handlers() => new()
    {
        Vote = _desk.AskAsync,
        Share = reports =>
        {
            _mailbox.TryPost(new Input.Heard(reports));
            return Loop.State.View.ToTell(BootClock.Now);
        },
        Status = Status,
        History = most => _history.Recent.TakeLast(most).Select(line => line.ToJson()),
        FindCluster = FindClusterAsync,
        IsServing = () => BootClock.Now - Loop.LastStep < TimeSpan.FromSeconds(2),
    };

    private async ValueTask<ClusterKnowledge?> FindClusterAsync(CancellationToken token)
    {
        var known = _data is null ? null : await _data.FindClusterAsync(token);
        return known ?? ClusterKnowledgeFrom.View(Loop.State.View, _settings, BootClock.Now);
    }

    private Rooms Edge(DurableMemoryFile kept) => new()
    {
        Arm = arm => _data?.Arm(arm),
        Gate = effect => _data?.Lane.Enqueue(effect),
        Control = effect => _data?.Control.Enqueue(effect),
        Order = effect => _data?.Orders.Enqueue(effect),
        Consult = _hooks.Consult,
        NotePrimary = term => _data?.NotePrimary(term),
        TellMove = _orders.Tell,
        Look = () => _data?.LookNow(),
        Steer = steer => _data?.Steer(steer),
        Point = point => _data?.Point(point),
        Hold = effect => _data?.Hold(effect),
        Save = _memory.Save,
        SaveTimeline = timeline => new Thread(() => SaveTimeline(timeline)) { IsBackground = true, Name = "timeline" }.Start(),
        Keep = memory => (KeepsMemory ? kept : null)?.Keep(memory),
        Ask = _link.Send,
        Answer = _desk.Answer,
        Tell = Tell,
        Pace = isAlarmed => _data?.SetPace(isAlarmed),
        Record = Record,
    };

    /// <summary>On a thread of its own, once per failover, because it waits for the disk; a disk that refuses is told, and the votes that waited are refused.</summary>
    private void SaveTimeline(DurableTimeline timeline) =>
        _mailbox.TryPost(_memory.SaveTimeline(timeline) ? new Input.TimelineSaved(timeline) : new Input.TimelineNotSaved(timeline, "the state folder cannot be written"));

    private void Record(Decision decision)
    {
        _decisions.Record(decision);
        _hooks.Take(decision);
    }

    private bool IsServing() => Loop?.State is { Lease.Held: not null, Gate: { IsKnown: true, Now: Gate.ReadWrite, Asked: Gate.ReadWrite } };

    /// <summary>Who serves, for the hooks: this node by its own gate, another by its report.</summary>
    private (string Name, string Address) Serving()
    {
        var state = Loop?.State;
        if (IsServing())
        {
            return (_settings.NodeName, _settings.Address);
        }

        var holder = state?.View.Reports.Values.Select(seen => seen.Report)
            .FirstOrDefault(report => report is { Gate: Gate.ReadWrite, InRecovery: false, HeldTerm.Value: > 0 } && report.Member != _settings.Self);
        return (holder?.NodeName ?? "", holder?.Address ?? "");
    }

    private void Tell(NodeReport report, ClusterView view)
    {
        _link.Share(view.ToTell(BootClock.Now));
        var hasLease = view.Reports.Values.Any(seen => seen.Report.HeldTerm > Term.None);
        if (hasLease && Interlocked.Exchange(ref _hasNotedLease, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => _membership.NoteLease(), null);
        }
    }
}
