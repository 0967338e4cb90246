using System.Collections.Immutable;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Wire.V1;

namespace Harepd.Peers;

/// <summary>What a member tells people and tools about itself and its view.</summary>
internal sealed record PeerStatus
{
    public required MemberId Member { get; init; }

    public required Incarnation Incarnation { get; init; }

    public required MembershipStamp Stamp { get; init; }

    /// <summary>The daemon's version.</summary>
    public required string Version { get; init; }

    /// <summary>The highest term known.</summary>
    public Term Term { get; init; }

    /// <summary>Whose lease this member's voter keeps alive; null when none.</summary>
    public LeaseOwner? Holder { get; init; }

    /// <summary>The freshest report of each member, with its age at the time of the answer.</summary>
    public ImmutableArray<NodeReport> Reports { get; init; } = [];

    /// <summary>One sentence for each HAProxy and PgBouncer that this member steers: what it last came to.</summary>
    public ImmutableArray<string> Routes { get; init; } = [];

    public StatusReply Write()
    {
        var wire = new StatusReply
        {
            Member = Member.ToString(),
            Incarnation = Incarnation.Value,
            Stamp = VoteWire.Write(Stamp),
            Version = WireLimits.Clean(Version, WireLimits.MaxName),
            Term = Term.Value,
            Holder = Holder is { } holder ? VoteWire.Write(holder) : null,
        };
        ReportWire.Write(Reports, TimeSpan.Zero, wire.Reports);
        wire.Routes.AddRange(Routes.Take(WireLimits.MaxRoutes).Select(route => WireLimits.Clean(route, WireLimits.MaxReason)));
        return wire;
    }

    public static PeerStatus Read(StatusReply wire) => new()
    {
        Member = new MemberId(WireLimits.Name(wire.Member, "member")),
        Incarnation = new Incarnation(wire.Incarnation),
        Stamp = VoteWire.ReadStamp(wire.Stamp),
        Version = WireLimits.Text(wire.Version, WireLimits.MaxName, "version"),
        Term = new Term(WireLimits.Number(wire.Term, 0, "term")),
        Holder = VoteWire.ReadOwner(wire.Holder, "holder"),
        Reports = ReportWire.Read(wire.Reports),
        Routes = [.. wire.Routes.Take(WireLimits.MaxRoutes).Select(route => WireLimits.Text(route, WireLimits.MaxReason, "route"))],
    };
}
