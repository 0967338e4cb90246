using System.Net;
using System.Security.Cryptography;
using Harepd.Cli;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.History;
using Harepd.Hooks;
using Harepd.Peers;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>A node that runs, or why it does not.</summary>
internal readonly record struct NodeStarted(Node? Node, int ExitCode, string? Error);

/// <summary>
/// One node put together: the loop in the middle, the rooms around it. Started in an order in which nothing can open before everything
/// that closes is in place, and taken down in reverse.
/// </summary>
internal sealed partial class Node : IAsyncDisposable
{
    private readonly Mailbox _mailbox = new();
    private readonly DecisionLog _decisions;
    private readonly HistoryLane _history;
    private readonly HistoryTable? _table;
    private readonly HookRoom _hooks;
    private readonly NodeSettings _settings;
    private readonly MemoryStore _memory;
    private readonly MembershipFile _membership;
    private readonly VoteDesk _desk;
    private readonly PeerLink _link;
    private readonly DataSide? _data;
    private readonly TlsFiles? _tls;
    private readonly Incarnation _incarnation;
    private readonly StatusDoors _status;
    private readonly ControlDesk _orders;
    private ControlDoor? _door;
    private PeerService? _service;
    private readonly CancellationTokenSource _ending = new();
    private HarepdConfig _config;
    private int _hasNotedLease;

    private Node(HarepdConfig config, NodeSettings settings, MemoryStore memory, MembershipFile membership, TlsFiles? tls, ILoggerFactory logs)
    {
        _config = config;
        _settings = settings;
        _memory = memory;
        _membership = membership;
        _tls = tls;
        _history = new HistoryLane(config.StateDir, settings.HasCandidate || settings.IsWitness ? HistoryFile.NodeStem : HistoryFile.VoterStem, settings.NodeName, logs.CreateLogger("History"));
        _decisions = new DecisionLog(logs.CreateLogger("Decision"), _history);
        _hooks = new HookRoom(() => _config.Hooks, new HookEvents(config.Cluster, settings.NodeName, Serving), input => _mailbox.TryPost(input), logs);
        _desk = new VoteDesk((number, request) => _mailbox.TryPost(new Input.VoteAsked(number, request)));
        _orders = new ControlDesk(_mailbox.TryPost);
        var now = BootClock.Now;
        var resumed = settings.HasCandidate ? memory.ReadCandidate(settings.Self, now) : null;
        _incarnation = resumed?.Me.Incarnation ?? new Incarnation(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));
        _data = settings.HasCandidate ? DataSide.Build(config, settings, input => _mailbox.TryPost(input), logs) : null;
        _link = Link(logs);
        _table = settings.HasCandidate
            ? new HistoryTable(PostgresDoor.SettingsOf(config), settings.NodeName, () => _history.Recent, () => _config.History.RowsToKeep, IsServing, logs.CreateLogger("History"))
            : null;
        var kept = new DurableMemoryFile(config.StateDir, logs.CreateLogger("Memory"));
        var (gate, term) = _data?.ReadBlock() ?? (Gate.Fenced, Term.None);
        var start = new NodeStart
        {
            Incarnation = _incarnation,
            UnixMillis = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            Voter = settings.HasVoter ? memory.ReadVoter() : null,
            Lease = resumed,
            Timeline = memory.ReadTimeline(),
            IsTimelineTrusted = memory.TakeTimelineTrust(),
            Memory = KeepsMemory ? kept.Read() : new DurableMemory(),
            GateOnDisk = gate,
            TermOnDisk = term,
            IsPromotionPending = _data?.WasToldToPromote() == true,
        };
        _decisions.Record(new Decision(DecisionKind.Started, term, "", gate.ToString(), Describe(start)));
        Loop = new NodeLoop(settings, NodeMachine.Create(settings, start, now), _mailbox, Edge(kept));
        _status = new StatusDoors(config, settings, Loop, _history, tls);
    }

    /// <summary>A voter in a process of its own leaves that to the candidate's.</summary>
    private bool KeepsMemory => _settings.HasCandidate || _settings.IsWitness;

    /// <summary>The loop; its state is the node's.</summary>
    public NodeLoop Loop { get; }

    /// <summary>The data node's rooms; null on a witness or a server-only process.</summary>
    public DataSide? Data => _data;

    /// <summary>Puts a node together and starts it; on failure nothing was opened and everything taken is given back.</summary>
    public static async Task<NodeStarted> StartAsync(HarepdConfig config, DaemonMode mode, ILoggerFactory logs, CancellationToken stop)
    {
        var settings = NodeSettingsFrom.Config(config, mode);
        var stamp = settings.Membership.Stamp;
        var scope = new MemoryScope(MemoryStore.BootId(), config.Cluster, config.Self.Address, stamp.Epoch, stamp.Hash, settings.Lease.MaxDuration.Ticks);
        var memory = MemoryStore.TryOpen(
            config.RunDir, config.StateDir, scope, settings.HasVoter, settings.HasCandidate, logs.CreateLogger("Memory"), out var error);
        if (memory is null)
        {
            return new(null, ExitCodes.Temporary, error);
        }

        var membership = new MembershipFile(config.StateDir);
        if (membership.Admit(stamp) is { } refusal)
        {
            memory.Dispose();
            return new(null, ExitCodes.Config, refusal);
        }

        TlsFiles? tls = null;
        if (config.Grpc.Tls is { Enabled: true } files)
        {
            tls = TlsFiles.TryOpen(files.Ca!, files.Cert!, files.Key!, TimeSpan.FromSeconds(2), logs.CreateLogger("Tls"), out error);
            if (tls is null)
            {
                memory.Dispose();
                return new(null, ExitCodes.Config, error);
            }
        }

        var node = new Node(config, settings, memory, membership, tls, logs);
        error = await node.OpenDoorsAsync(config, logs, stop);
        if (error is not null)
        {
            await node.DisposeAsync();
            return new(null, ExitCodes.Temporary, error);
        }

        return new(node, ExitCodes.Ok, null);
    }

    /// <summary>Asks for a clean stop: fence, release, then the loop ends.</summary>
    public void Stop(string reason) => _mailbox.TryPost(new Input.Stop(reason));

    /// <summary>Shuts the gate on this thread, without the loop.</summary>
    public void FenceNow(string reason) => _data?.FenceNow(Loop.State.HighestTerm, BootClock.Now + _settings.Lease.FenceBudget, reason);

    /// <summary>The stop was clean: the guard may go.</summary>
    public void Finish()
    {
        _data?.Guard.Finish();
        _data?.Pointing.LetGo();
    }

    /// <summary>Takes over what can be changed while running.</summary>
    public void Reconfigure(HarepdConfig config)
    {
        _config = config;
        Loop.Reconfigure(NodeSettingsFrom.Reloaded(_settings, config));
        _data?.Reconfigure(config);
    }

    /// <summary>Waits until the gate is what it should be, or the limit is over.</summary>
    public async Task SettledAsync(TimeSpan limit, CancellationToken stop)
    {
        var until = BootClock.Now + limit;
        while (BootClock.Now < until && !stop.IsCancellationRequested && !IsSettled(Loop.State))
        {
            await Task.Delay(20, CancellationToken.None);
        }

        static bool IsSettled(NodeState state) =>
            state.Gate is { IsKnown: true, IsPending: false } gate && gate.Now == gate.Asked
            && (gate.Now != Gate.Fenced || state.IsRogue || !state.Server.IsWritable);
    }

    /// <summary>What this node tells people and tools.</summary>
    public PeerStatus Status()
    {
        var state = Loop.State;
        var now = BootClock.Now;
        return new PeerStatus
        {
            Member = _settings.Self,
            Incarnation = _incarnation,
            Stamp = _settings.Membership.Stamp,
            Version = VersionCommand.Version,
            Term = state.HighestTerm,
            Holder = state.Voter?.LiveAt(now)?.Owner ?? (state.Lease?.Held is not null ? state.Lease.Me : HolderHeardOf(state.View, now)),
            Reports = state.View.ToTell(now),
            Routes = _data is { } data ? [.. data.Routes()] : [],
        };
    }

    /// <summary>A voter that was not in the majority knows the holder by its report alone.</summary>
    private LeaseOwner? HolderHeardOf(ClusterView view, Instant now) => view.Reports.Keys
        .Select(member => view.FreshReportOf(member, now, _settings.Freshness))
        .Where(report => report?.HeldTerm > Term.None)
        .Select(report => (LeaseOwner?)new LeaseOwner(report!.Member, report.Incarnation))
        .FirstOrDefault();

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _status.DisposeAsync();
        if (_door is { } door)
        {
            await door.DisposeAsync();
        }

        if (_service is { } service)
        {
            await service.DisposeAsync();
        }

        Loop.Abandon();
        if (_data is { } data)
        {
            await data.DisposeAsync();
        }

        _link.Dispose();
        _tls?.Dispose();
        _memory.Dispose();
        _hooks.Dispose();
        _table?.Dispose();
        _history.Dispose();
        _ending.Dispose();
    }

    private static string Describe(NodeStart start) => start switch
    {
        { Lease: not null } => "resumes the lease it holds",
        { Voter: not null } => "resumes its voter's memory",
        _ => "starts without memory: the voter abstains first",
    };
}
