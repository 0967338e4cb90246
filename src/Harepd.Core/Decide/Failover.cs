using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core.Decide;

/// <summary>Judges whether this member should take over: a chain of questions, the first "no" or "not yet" answers.</summary>
public static class Failover
{
    /// <summary>The verdict at the moment of the question. Only <see cref="FailoverAnswer.Go"/> lets a standby ask for the lease.</summary>
    public static FailoverVerdict Judge(FailoverQuestion question) =>
        Answer(question) is var verdict && IsImminent(question, verdict) ? verdict with { IsImminent = true } : verdict;

    private static FailoverVerdict Answer(FailoverQuestion question)
    {
        if (!question.IsLeaseFree)
        {
            return FailoverVerdict.Quiet("another member holds the lease", question.LeaseEnds);
        }

        return Refusal(question) ?? Corroboration.Doubt(question) ?? Delay(question)
            ?? FailoverVerdict.Go(question is { IsOrdered: false, Last.Member: var last } ? $"{NameOf(question, last)} is gone or fenced, and nobody is more advanced" : "an operator ordered it");
    }

    /// <summary>
    /// Whether a standby could be promoted at all, whoever else there is: running, seen lately, on a known timeline, not told otherwise. What it
    /// says of itself to the others.
    /// </summary>
    public static bool IsPromotable(FailoverPolicy policy, ServerObservation server, Instant failedUntil, TimeSpan freshness, Instant now) =>
        policy is { Promoter: Promoter.Harepd, IsCandidate: true } && IsHealthyStandby(server, freshness, now) && now >= failedUntil;

    /// <summary>What this standby lacks of the last primary's position, by its last word, in bytes; zero when nothing.</summary>
    public static long MayLack(LastPrimary last, ServerObservation server) =>
        last.Timeline == server.Timeline && last.WriteLsn > server.WriteLsn ? (long)Math.Min(last.WriteLsn.Value - server.WriteLsn.Value, long.MaxValue) : 0;

    /// <summary>
    /// The primary died, this standby is the one to replace it, and only the word that the dead one's gate is shut is missing. Not once another has the lease, and not
    /// where another standby seems to come first: its readers would be cut for nothing.
    /// </summary>
    private static bool IsImminent(FailoverQuestion question, FailoverVerdict verdict) =>
        verdict.Answer is FailoverAnswer.Quiet or FailoverAnswer.Wait && !question.Policy.RestartsFirst
        && question.Last is { } last && question.Sightings.GetValueOrDefault(last.Member) is { Sight: Sight.Died } death
        && question.Now - death.Since < question.Policy.PromoteTimeout
        && (question.LeaseHolder is null || question.LeaseHolder == last.Member)
        && Refusal(question) is null && (Delay(question) is not { } delay || (delay.IsReading && CountBefore(question, GuessOf) == 0));

    private static bool IsHealthyStandby(ServerObservation server, TimeSpan freshness, Instant now) =>
        server is { Health: ServerHealth.Running, InRecovery: true, Timeline.IsUnknown: false, SystemId.IsUnknown: false }
        && server.WriteLsn != default && now - server.At <= freshness;

    private static FailoverVerdict? Refusal(FailoverQuestion question)
    {
        var server = question.Server;
        if (server is not { Health: ServerHealth.Running, InRecovery: true })
        {
            return FailoverVerdict.Quiet("the server is no running standby", Instant.Forever);
        }

        if (!IsHealthyStandby(server, question.Freshness, question.Now))
        {
            return FailoverVerdict.No("the standby's timeline, system or received position is not known");
        }

        if (question.Withheld.Length > 0)
        {
            return FailoverVerdict.No(question.Withheld);
        }

        if (question.Last is not { } last)
        {
            return question.AcceptsLoss ? null : FailoverVerdict.No("no primary is known since this daemon began, so nobody can say what a promotion would lose");
        }

        if (TakeoverChecks.IsBehindIn(server, last))
        {
            return ReadAnew(question) ?? FailoverVerdict.No("the standby is not on the last primary's timeline");
        }

        return question.AcceptsLoss ? null : RefusalOfPolicy(question, MayLack(last, server));
    }

    private static FailoverVerdict? RefusalOfPolicy(FailoverQuestion question, long lacks)
    {
        if (!question.Policy.IsCandidate && !question.IsOrdered)
        {
            return FailoverVerdict.No("this node is not to be promoted (noFailover)");
        }

        if (lacks > 0 && question.Policy.WaitsForAcceptance)
        {
            return FailoverVerdict.No($"at least {lacks} bytes of the last primary's position are lacking, and failover.onPossibleLoss is readOnly: harepd accept-loss lets it take over")
                with { AwaitsAcceptance = true };
        }

        return lacks > question.Policy.MaxLagBytes
            ? FailoverVerdict.No("the standby lacks more than maxLagBytes of the last primary's position")
            : null;
    }

    private static FailoverVerdict? Delay(FailoverQuestion question)
    {
        var now = question.Now;
        if (question.IsOrdered)
        {
            return ReadAnew(question) ?? DoubtOfLoss(question);
        }

        if (now < question.PausedUntil)
        {
            return FailoverVerdict.Wait("an operator paused failovers (harepd resume ends it)", question.PausedUntil);
        }

        var notBefore = FlapGuard.NotBefore(question.Failovers, question.Policy, now);
        if (now < notBefore)
        {
            return FailoverVerdict.Wait("the last automatic failover was too short a time ago", notBefore);
        }

        if (now < question.FailedUntil)
        {
            return FailoverVerdict.Wait("the last promotion here failed", question.FailedUntil);
        }

        if (ReadAnew(question) is { } reading)
        {
            return reading;
        }

        if (DoubtOfLoss(question) is { } loss)
        {
            return loss;
        }

        var before = CountBefore(question, static candidate => candidate);
        if (before == 0)
        {
            return null;
        }

        // Each better candidate has its time; when it neither takes over nor says that it cannot, the next does.
        var turn = (question.OutrankedSince ?? now) + question.Policy.PromoteTimeout * before;
        return now >= turn ? null : FailoverVerdict.Wait("another standby goes first", turn) with { IsOutranked = true };
    }

    /// <summary>A reading from before the primary was lost is not the last word on what was received.</summary>
    private static FailoverVerdict? ReadAnew(FailoverQuestion question) =>
        question.Last is { } last && question.Server.At < question.Sightings.GetValueOrDefault(last.Member).Since
            ? FailoverVerdict.Wait("the standby's position must be read anew", question.Now) with { IsReading = true }
            : null;

    /// <summary>By the own voter's note, which may not be the last word: the election that follows hears a majority.</summary>
    internal static FailoverVerdict? DoubtOfLoss(FailoverQuestion question)
    {
        if (!question.Policy.SynchronousOnly || question.AcceptsLoss)
        {
            return null;
        }

        return question.Doubt.Length > 0 ? FailoverVerdict.No(question.Doubt)
            : question.Note is { } note ? NoLoss.Doubt(question, note)
            : null;
    }

    private static int CountBefore(FailoverQuestion question, Func<Candidate, Candidate> judge)
    {
        var server = question.Server;
        var self = judge(new Candidate(question.Self, server.Timeline.Timeline, server.WriteLsn, question.Policy.Priority, question.NodeName));
        return question.View.Reports.Values.Count(seen => seen.Report is { IsPromotable: true } report
            && report.Member != question.Self
            && question.Sightings.GetValueOrDefault(report.Member).Sight == Sight.Standby
            && judge(Candidate.Of(report)).IsBefore(self));
    }

    /// <summary>Positions that were read at different moments of a stream, as if they were one: whoever streams will have the same in the end.</summary>
    private static Candidate GuessOf(Candidate candidate) => candidate with { Received = new Lsn(candidate.Received.Value >> 24) };

    /// <summary>A member's node name, or its address where that is not known.</summary>
    internal static string NameOf(FailoverQuestion question, MemberId member) =>
        question.View.Reports.GetValueOrDefault(member)?.Report.NodeName is { Length: > 0 } name ? name : member.ToString();
}
