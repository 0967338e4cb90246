using System.Collections.Immutable;
using Harepd.Core;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Harepd.History;

namespace Harepd.Http;

/// <summary>What the machine's state does not hold and the status shows.</summary>
internal sealed record StatusFacts
{
    public required string Cluster { get; init; }

    /// <summary>PostgreSQL's port, taken to be the same on every member.</summary>
    public required int ServerPort { get; init; }

    /// <summary>The health port, taken to be the same on every member; 0 shows no URLs.</summary>
    public int HttpPort { get; init; }

    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Config { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<HistoryEntry> History { get; init; } = [];

    public ImmutableQueue<HistoryLine> Decisions { get; init; } = [];

    /// <summary>The health port speaks HTTPS.</summary>
    public bool IsHttps { get; init; }

    public bool IsPaused { get; init; }

    /// <summary>When a majority was last heard, unix seconds.</summary>
    public long MajoritySeenUnix { get; init; }
}

/// <summary>Makes the status of a machine's state. Pure.</summary>
internal static class StatusFromState
{
    internal static NodeStatus Make(NodeState state, NodeSettings settings, StatusFacts facts, Instant now)
    {
        var members = Members(state, settings, facts, now);
        var holder = members.FirstOrDefault(m => m.IsHolder);
        var own = members.FirstOrDefault(m => m.Name == Name(settings.NodeName, settings.Self));
        return new NodeStatus
        {
            At = state.LastStep,
            Cluster = facts.Cluster,
            Name = Name(settings.NodeName, settings.Self),
            HeldTerm = state.Lease?.Held?.Term ?? Term.None,
            LeaseDeadline = state.Lease?.Held?.Deadline ?? Instant.Zero,
            HolderName = holder?.Name ?? "",
            Gate = state.Gate.IsKnown ? state.Gate.Now : Gate.Fenced,
            Reason = state.Gate.Reason,
            Server = settings.HasCandidate ? state.Server : null,
            IsReadable = state.IsReadable,
            IsMaintained = state.Orders.IsMaintained,
            IsSynchronous = own?.IsSynchronous == true,
            IsQuorum = own?.IsQuorum == true,
            WaitsFor = state.Synchrony.InForce?.Count ?? 0,
            WaitsForNoted = state.Server.InRecovery == false ? state.Lease?.Held?.Under?.Stated?.Count ?? 0 : 0,
            IsRogue = state.IsRogue,
            IsPaused = facts.IsPaused,
            HolderLsn = holder?.ReceiveLsn ?? default,
            MajoritySeenUnix = facts.MajoritySeenUnix,
            Tags = facts.Tags,
            Members = members,
            History = facts.History,
            Decisions = facts.Decisions,
            Config = facts.Config,
        };
    }

    /// <summary>Which standby is synchronous is for the holder to say, and for nobody while there is none.</summary>
    private static ImmutableArray<MemberStatus> Members(NodeState state, NodeSettings settings, StatusFacts facts, Instant now)
    {
        var members = settings.Membership.Everyone.Select(member => Member(member, state, settings, facts, now)).ToList();
        var holder = members.Find(member => member.IsHolder);
        return
        [
            .. members.Select(member => member with
            {
                IsSynchronous = Names(holder?.Synchronous, member),
                IsQuorum = Names(holder?.Quorum, member),
            }),
        ];

        static bool Names(string? names, MemberStatus member) => names is { Length: > 0 } && names.Split(',').Contains(member.Name, StringComparer.Ordinal);
    }

    private static MemberStatus Member(MemberId member, NodeState state, NodeSettings settings, StatusFacts facts, Instant now)
    {
        var isSelf = member == settings.Self;
        if (isSelf && state.LastReport is { } own)
        {
            return From(own with { HeldTerm = state.Lease?.Held is { } held && held.Deadline > now ? held.Term : Term.None }, facts, isSilent: false);
        }

        if (!state.View.Reports.TryGetValue(member, out var seen))
        {
            return new MemberStatus { Name = isSelf ? Name(settings.NodeName, member) : member.Address, IsSilent = !isSelf };
        }

        return From(seen.Report, facts, isSilent: now - seen.MadeAt > settings.Freshness);
    }

    private static MemberStatus From(NodeReport report, StatusFacts facts, bool isSilent) => new()
    {
        Name = Name(report.NodeName, report.Member),
        IsWitness = report.IsWitness,
        IsHolder = !isSilent && report.HeldTerm > Term.None,
        IsSilent = isSilent,
        Health = report.Health,
        InRecovery = report.InRecovery,
        IsStreaming = report.IsStreaming,
        Host = report.Address,
        Port = report.IsWitness ? 0 : facts.ServerPort,
        ApiUrl = facts.HttpPort == 0 || report.Address.Length == 0 ? "" : $"{(facts.IsHttps ? "https" : "http")}://{report.Address}:{facts.HttpPort}/patroni",
        Timeline = report.Timeline.Timeline,
        ReceiveLsn = report.WriteLsn,
        ReplayLsn = report.ReplayLsn,
        Gate = report.Gate,
        Reason = report.Reason,
        Synchronous = report.Synchronous,
        Quorum = report.Quorum,
    };

    private static string Name(string nodeName, MemberId member) => nodeName.Length > 0 ? nodeName : member.Address;
}
