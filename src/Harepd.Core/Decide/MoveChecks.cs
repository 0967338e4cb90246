using System.Collections.Immutable;
using System.Globalization;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core.Decide;

/// <summary>All that the checks before a planned move rest on, at one moment.</summary>
public sealed record MoveQuestion
{
    /// <summary>The own voter has no note of the last timeline and votes for nobody before it has heard from all.</summary>
    public bool IsVoteless { get; init; }

    public required Instant Now { get; init; }

    public required MemberId Self { get; init; }

    /// <summary>Node name of the wanted standby; empty for the best.</summary>
    public required string To { get; init; }

    /// <summary>The server shall only be restarted: no standby is needed.</summary>
    public bool IsRestart { get; init; }

    public required FailoverPolicy Policy { get; init; }

    public required ServerObservation Server { get; init; }

    public required HeldLease? Held { get; init; }

    /// <summary>The own gate is confirmed open for writes.</summary>
    public required bool IsOpen { get; init; }

    /// <summary>The move under way, in words; empty when there is none.</summary>
    public required string Running { get; init; }

    public required ClusterView View { get; init; }

    public required TimeSpan Freshness { get; init; }
}

/// <summary>What the checks found.</summary>
/// <param name="To">Who takes over; null when nobody was found.</param>
/// <param name="Passed">Which checks passed, in words.</param>
/// <param name="Problems">What stands in the way; empty when nothing does.</param>
public sealed record MoveFinding(NodeReport? To, ImmutableArray<string> Passed, ImmutableArray<string> Problems);

/// <summary>The checks before a planned move: is this the primary, is that standby able and near enough, is nothing else under way.</summary>
public static class MoveChecks
{
    /// <summary>Every check, whatever the others found.</summary>
    public static MoveFinding Judge(MoveQuestion question)
    {
        var passed = ImmutableArray.CreateBuilder<string>();
        var problems = ImmutableArray.CreateBuilder<string>();
        Check(question.Running.Length == 0, "no other move is under way", question.Running);
        Check(
            question.Policy.Promoter == Promoter.Harepd,
            "harepd promotes (failover.manager)",
            "failover.manager is not harepd: use repmgr's own command (repmgr standby switchover), which harepd follows and steers");
        Check(
            question is { Held.Under: not null, IsOpen: true, Server: { Health: ServerHealth.Running, InRecovery: false } },
            "this node is the primary, holds the lease and serves",
            PrimaryElsewhere(question));
        if (question.IsRestart)
        {
            return new MoveFinding(null, passed.ToImmutable(), problems.ToImmutable());
        }

        var to = Choose(question, problems);
        if (to is not null)
        {
            Candidate(question, to, Check);
        }

        return new MoveFinding(to, passed.ToImmutable(), problems.ToImmutable());

        void Check(bool isGood, string good, string bad) => (isGood ? passed : problems).Add(isGood ? good : bad);
    }

    private static string PrimaryElsewhere(MoveQuestion question)
    {
        var holder = question.View.Reports.Keys
            .Select(member => question.View.FreshReportOf(member, question.Now, question.Freshness))
            .FirstOrDefault(report => report?.HeldTerm > Term.None && report.Member != question.Self);
        return holder is null
            ? "this node is not a primary that holds the lease and serves"
            : $"the primary is {holder.NodeName}: order the move there";
    }

    private static NodeReport? Choose(MoveQuestion question, ImmutableArray<string>.Builder problems)
    {
        var reports = question.View.Reports.Keys
            .Where(member => member != question.Self)
            .Select(member => question.View.FreshReportOf(member, question.Now, question.Freshness))
            .OfType<NodeReport>()
            .Where(report => !report.IsWitness)
            .ToList();
        if (question.To.Length > 0)
        {
            var named = reports.Find(report => report.NodeName == question.To);
            if (named is null)
            {
                problems.Add($"nothing was heard lately of a data node {question.To}; heard of: {string.Join(", ", reports.Select(report => report.NodeName))}");
            }

            return named;
        }

        // The one that a failover would choose: timeline, received position, priority, name. Positions a moment old differ by chance, so priority first.
        var best = reports.Where(report => report is { IsPromotable: true, IsStreaming: true })
            .OrderByDescending(report => report.Timeline.Timeline)
            .ThenByDescending(report => report.Priority)
            .ThenByDescending(report => report.WriteLsn)
            .ThenBy(report => report.NodeName, StringComparer.Ordinal)
            .FirstOrDefault();
        if (best is null)
        {
            problems.Add("no standby streams and may be promoted");
        }

        return best;
    }

    private static void Candidate(MoveQuestion question, NodeReport to, Action<bool, string, string> check)
    {
        var server = question.Server;
        var name = to.NodeName;
        check(to is { Health: ServerHealth.Running, InRecovery: true, IsStreaming: true }, $"{name} is a standby and streams", $"{name} is no standby that streams");
        if (to.Orders is { IsFenced: true } or { IsMaintained: true })
        {
            check(false, "", to.Orders.IsFenced ? $"{name} is fenced by an order: harepd unfence there" : $"{name} is in maintenance: harepd maintenance --off there");
            return;
        }

        check(to.IsPromotable, $"{name} may be promoted", $"{name} may not be promoted now (noFailover, a promotion that failed a moment ago, or another failover.manager)");
        check(
            to.System == server.SystemId && to.Timeline == server.Timeline && !to.Timeline.IsUnknown,
            $"{name} is on timeline {server.Timeline}",
            $"{name} is on timeline {to.Timeline} of system {to.System}, not on {server.Timeline} of {server.SystemId}");
        var isElsewhere = question.View.Reports.Values.Any(seen => seen.Report.Member != question.Self && seen.Report.Address.Length > 0 && seen.Report.Address == to.UpstreamHost);
        check(!isElsewhere, $"{name} streams from here", $"{name} streams from {to.UpstreamHost}, not from here");
        // Without its own vote it needs every other one; a voter that is new, or lost its note, votes for nobody before it has heard from all.
        check(!question.IsVoteless, "this node may vote", "this node has no note of the last timeline yet, and so no vote: every member must have been heard once (harepd timeline)");
        check(to.Noted is not { IsNone: true }, $"{name} may vote", $"{name} has no note of the last timeline yet, and so no vote: every member must have been heard once (harepd timeline)");
        Lag("has not received", server.WriteLsn, to.WriteLsn);
        Lag("has not replayed", to.WriteLsn, to.ReplayLsn);

        void Lag(string what, Lsn from, Lsn reached)
        {
            var bytes = from > reached ? from.Value - reached.Value : 0;
            var words = string.Create(CultureInfo.InvariantCulture, $"{name} {what} {bytes} bytes");
            check(bytes <= (ulong)question.Policy.MaxLagBytes, words, string.Create(CultureInfo.InvariantCulture, $"{words}, more than failover.maxLagBytes {question.Policy.MaxLagBytes}"));
        }
    }
}
