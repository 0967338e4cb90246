using System.Collections.Immutable;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core.Decide;

/// <summary>All that the checks before an order for one node rest on, at one moment.</summary>
public sealed record LocalQuestion
{
    public required Instant Now { get; init; }

    public required MemberId Self { get; init; }

    public required LocalOrder Order { get; init; }

    /// <summary>What is in force now.</summary>
    public required LocalOrders Orders { get; init; }

    public required FailoverPolicy Policy { get; init; }

    /// <summary>This member holds the lease.</summary>
    public required bool IsHolder { get; init; }

    /// <summary>Failovers are paused until then.</summary>
    public required Instant PausedUntil { get; init; }

    /// <summary>What is under way here, in words; empty when nothing is.</summary>
    public required string Running { get; init; }

    /// <summary>Of a stop or a start: what stands in its way here; empty when nothing does.</summary>
    public string Trouble { get; init; } = "";

    public required ClusterView View { get; init; }

    public required TimeSpan Freshness { get; init; }
}

/// <summary>What the checks found.</summary>
/// <param name="Passed">Which passed, in words.</param>
/// <param name="Problems">What stands in the way; empty when nothing does.</param>
public sealed record LocalFinding(ImmutableArray<string> Passed, ImmutableArray<string> Problems);

/// <summary>The checks before maintenance, a fence, a stop and a start that an operator orders, and their ends.</summary>
public static class LocalChecks
{
    /// <summary>Every check, whatever the others found.</summary>
    public static LocalFinding Judge(LocalQuestion question)
    {
        var passed = ImmutableArray.CreateBuilder<string>();
        var problems = ImmutableArray.CreateBuilder<string>();
        switch (question.Order.Kind)
        {
            case LocalOrderKind.Maintain:
                Check(question.Running.Length == 0, "nothing else is under way", question.Running);
                Check(!question.IsHolder, "this node does not hold the lease", "this node holds the lease: harepd switchover first");
                CheckSpan();
                break;
            case LocalOrderKind.Fence:
                Check(question.Running.Length == 0, "nothing else is under way", question.Running);
                CheckSpan();
                CheckOutage();
                break;
            case LocalOrderKind.Stop when question.IsHolder:
                Check(question.Running.Length == 0, "nothing else is under way", question.Running);
                Check(
                    question.Order is { AcceptsOutage: true } && question.Order.For > TimeSpan.Zero && question.Order.For <= LocalOrder.Longest,
                    $"nobody can write for {question.Order.For:d\\.hh\\:mm\\:ss}, and nobody takes over: accepted",
                    "this node holds the lease: harepd switchover first, or --accept-outage --for DURATION, and nobody can write until then");
                break;
            case LocalOrderKind.Stop:
                Check(question.Running.Length == 0, "nothing else is under way", question.Running);
                Check(question.Trouble.Length == 0, "the server runs", question.Trouble);
                break;
            case LocalOrderKind.Start:
                Check(question.Running.Length == 0, "nothing else is under way", question.Running);
                Check(question.Trouble.Length == 0, "the server is down and can be started", question.Trouble);
                break;
            case LocalOrderKind.EndMaintenance:
                Check(question.Orders.IsMaintained, "this node is in maintenance", "this node is not in maintenance");
                break;
            default:
                Check(question.Orders.IsFenced, "this node is fenced by an order", "this node is not fenced by an order");
                break;
        }

        return new LocalFinding(passed.ToImmutable(), problems.ToImmutable());

        void Check(bool isGood, string good, string bad) => (isGood ? passed : problems).Add(isGood ? good : bad);

        void CheckSpan() => Check(
            question.Order.For > TimeSpan.Zero && question.Order.For <= LocalOrder.Longest,
            $"it ends by itself in {question.Order.For:d\\.hh\\:mm\\:ss}",
            "it must end by itself, within 7 days");

        void CheckOutage()
        {
            if (!question.IsHolder)
            {
                return;
            }

            var lack = LackOfSuccessor(question);
            Check(
                lack.Length == 0 || question.Order.AcceptsOutage,
                lack.Length == 0 ? "a standby can take over" : $"{lack}: accepted",
                $"{lack}; --accept-outage says that nobody may be able to write until then");
        }
    }

    /// <summary>Why nobody would take over from this holder by itself, as far as is known; empty when somebody could.</summary>
    private static string LackOfSuccessor(LocalQuestion question)
    {
        var isAble = question.View.Reports.Keys
            .Where(member => member != question.Self)
            .Select(member => question.View.FreshReportOf(member, question.Now, question.Freshness))
            .Any(report => report is { IsPromotable: true, IsStreaming: true });
        return question.Policy.Promoter != Promoter.Harepd ? "failover.manager is not harepd, so no standby takes over by harepd's word"
            : question.Now < question.PausedUntil ? "failovers are paused (harepd resume ends it)"
            : isAble ? ""
            : "no standby streams and may be promoted";
    }
}
