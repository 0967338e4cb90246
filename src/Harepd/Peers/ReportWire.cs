using System.Collections.Immutable;
using Google.Protobuf.Collections;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Harepd.Wire.V1;
using static Harepd.Peers.WireLimits;
using Gate = Harepd.Core.Model.Gate;

namespace Harepd.Peers;

/// <summary>Reports between the words of the decisions and the words of the wire. Reading throws InvalidArgument and nothing else.</summary>
internal static class ReportWire
{
    /// <summary>Writes at most <see cref="MaxReports"/> reports; <paramref name="waited"/> is added to their ages, for they may have waited for their turn.</summary>
    public static void Write(ImmutableArray<NodeReport> reports, TimeSpan waited, RepeatedField<Report> into)
    {
        foreach (var report in reports.AsSpan()[..Math.Min(reports.Length, MaxReports)])
        {
            into.Add(Write(report, waited));
        }
    }

    public static ImmutableArray<NodeReport> Read(RepeatedField<Report> wire) => wire.Count > MaxReports
        ? throw Refuse("reports", $"are more than {MaxReports}")
        : [.. wire.Select(Read)];

    private static Report Write(NodeReport report, TimeSpan waited)
    {
        var wire = new Report
        {
            Member = report.Member.ToString(),
            Incarnation = report.Incarnation.Value,
            Version = report.Version,
            AgeNanos = Nanos(report.Age + waited),
            NodeName = Clean(report.NodeName, MaxName),
            Address = Clean(report.Address, MaxName),
            IsWitness = report.IsWitness,
            Health = (Health)report.Health,
            Timeline = VoteWire.Write(report.Timeline),
            System = report.System.Value,
            WriteLsn = report.WriteLsn.Value,
            ReplayLsn = report.ReplayLsn.Value,
            IsStreaming = report.IsStreaming,
            UpstreamHost = Clean(report.UpstreamHost, MaxName),
            Gate = (Wire.V1.Gate)report.Gate,
            HeldTerm = report.HeldTerm.Value,
            Reason = Clean(report.Reason, MaxReason),
            IsRogue = report.IsRogue,
            IsShut = report.IsShut,
            IsPromotable = report.IsPromotable,
            IsGivenUp = report.IsGivenUp,
            Priority = report.Priority,
            Failover = Clean(report.Failover, MaxName),
            ServerPort = (uint)Math.Clamp(report.ServerPort, 0, MaxPort),
            Synchronous = Clean(report.Synchronous, MaxReason),
            Quorum = Clean(report.Quorum, MaxReason),
            HasReceived = report.HasReceived,
            AsksPositions = report.AsksPositions == default ? null : VoteWire.Write(report.AsksPositions),
            SeenAfter = report.SeenAfter == default ? null : VoteWire.Write(report.SeenAfter),
            InForce = Clean(report.InForce, MaxReason),
            Stated = Clean(report.Stated, MaxReason),
            Offer = report.Offer is { } offer ? OfferWire.Write(offer) : null,
            OfferAnswer = report.OfferAnswer is { } answer ? OfferWire.Write(answer) : null,
            Orders = report.Orders is { } orders ? new Orders { MaintainedNanos = Nanos(orders.Maintained), FencedNanos = Nanos(orders.Fenced), IsStopped = orders.IsStopped } : null,
            Pause = report.Pause is { } pause ? new Pause { Number = pause.Number, ForNanos = Nanos(pause.For) } : null,
        };
        if (report.InRecovery is { } inRecovery)
        {
            wire.InRecovery = inRecovery;
        }

        if (report.ReplayDelay is { } delay)
        {
            wire.ReplayDelayNanos = Nanos(delay);
        }

        if (report.UpstreamSilence is { } silence)
        {
            wire.UpstreamSilenceNanos = Nanos(silence);
        }

        if (report.Noted is { } noted)
        {
            wire.Noted = new NotedTimeline { System = noted.System.Value, Point = VoteWire.Write(noted.Point), AgeNanos = Nanos(report.NotedAge + waited), Version = report.NotedVersion };
        }

        if (report.PromotedAge is { } promoted)
        {
            wire.PromotedAgeNanos = Nanos(promoted);
        }

        return wire;
    }

    private static NodeReport Read(Report wire) => new()
    {
        Member = new MemberId(Name(wire.Member, "report.member")),
        Incarnation = new Incarnation(wire.Incarnation),
        Version = Number(wire.Version, 0, "report.version"),
        Age = Span(wire.AgeNanos, "report.age"),
        NodeName = Text(wire.NodeName, MaxName, "report.node_name"),
        Address = Text(wire.Address, MaxName, "report.address"),
        IsWitness = wire.IsWitness,
        Health = Enum.IsDefined(wire.Health) ? (ServerHealth)wire.Health : throw Refuse("report.health", $"is {(int)wire.Health}, which has no meaning here"),
        InRecovery = wire.HasInRecovery ? wire.InRecovery : null,
        Timeline = VoteWire.Read(wire.Timeline),
        System = new SystemId(wire.System),
        WriteLsn = new Lsn(wire.WriteLsn),
        ReplayLsn = new Lsn(wire.ReplayLsn),
        ReplayDelay = wire.HasReplayDelayNanos ? Span(wire.ReplayDelayNanos, "report.replay_delay") : null,
        IsStreaming = wire.IsStreaming,
        UpstreamHost = Text(wire.UpstreamHost, MaxName, "report.upstream_host"),
        Gate = Enum.IsDefined(wire.Gate) ? (Gate)wire.Gate : throw Refuse("report.gate", $"is {(int)wire.Gate}, which has no meaning here"),
        HeldTerm = new Term(Number(wire.HeldTerm, 0, "report.held_term")),
        Reason = Text(wire.Reason, MaxReason, "report.reason"),
        IsRogue = wire.IsRogue,
        IsShut = wire.IsShut,
        IsPromotable = wire.IsPromotable,
        IsGivenUp = wire.IsGivenUp,
        Priority = wire.Priority,
        Failover = Text(wire.Failover, MaxName, "report.failover"),
        UpstreamSilence = wire.HasUpstreamSilenceNanos ? Span(wire.UpstreamSilenceNanos, "report.upstream_silence") : null,
        ServerPort = wire.ServerPort <= MaxPort ? (int)wire.ServerPort : throw Refuse("report.server_port", $"is {wire.ServerPort}, out of range"),
        PromotedAge = wire.HasPromotedAgeNanos ? Span(wire.PromotedAgeNanos, "report.promoted_age") : null,
        Noted = wire.Noted is { } noted ? new DurableTimeline(new SystemId(noted.System), VoteWire.Read(noted.Point)) : null,
        NotedVersion = wire.Noted is { } stated ? Number(stated.Version, 0, "report.noted.version") : 0,
        NotedAge = wire.Noted is { } dated ? Span(dated.AgeNanos, "report.noted.age") : default,
        Synchronous = Text(wire.Synchronous, MaxReason, "report.synchronous"),
        Quorum = Text(wire.Quorum, MaxReason, "report.quorum"),
        HasReceived = wire.HasReceived,
        AsksPositions = VoteWire.ReadBallot(wire.AsksPositions, "report.asks_positions") ?? default,
        SeenAfter = VoteWire.ReadBallot(wire.SeenAfter, "report.seen_after") ?? default,
        InForce = Text(wire.InForce, MaxReason, "report.in_force"),
        Stated = Text(wire.Stated, MaxReason, "report.stated"),
        Offer = wire.Offer is { } offer ? OfferWire.Read(offer) : null,
        OfferAnswer = wire.OfferAnswer is { } answer ? OfferWire.Read(answer) : null,
        Orders = wire.Orders is { } orders ? new OrdersTold(Span(orders.MaintainedNanos, "orders.maintained"), Span(orders.FencedNanos, "orders.fenced")) { IsStopped = orders.IsStopped } : null,
        Pause = wire.Pause is { } pause ? new FailoverPause(Number(pause.Number, 0, "pause.number"), Span(pause.ForNanos, "pause.for")) : null,
    };
}
