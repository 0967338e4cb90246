using System.Collections.Immutable;
using System.Globalization;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Decide;

/// <summary>What the checks before an ordered failover found.</summary>
/// <param name="Passed">Which passed, in words.</param>
/// <param name="Problems">What stands in the way; empty when nothing does.</param>
/// <param name="Loss">What may be lost, one sentence; empty when nothing is known to be.</param>
public sealed record TakeoverFinding(ImmutableArray<string> Passed, ImmutableArray<string> Problems, string Loss);

/// <summary>The checks before a failover that an operator orders: is this a standby that can take over, is the lease free, and what would be lost.</summary>
public static class TakeoverChecks
{
    /// <summary>Every check, whatever the others found.</summary>
    /// <param name="question">As the failover's own judgement gets it.</param>
    /// <param name="acceptsLoss">What is lacking may be lost.</param>
    /// <param name="running">What is under way and must end first, in words; empty when nothing is.</param>
    public static TakeoverFinding Judge(FailoverQuestion question, bool acceptsLoss, string running)
    {
        var passed = ImmutableArray.CreateBuilder<string>();
        var problems = ImmutableArray.CreateBuilder<string>();
        Check(running.Length == 0, "nothing else is under way", running);
        Check(
            question.Policy.Promoter == Promoter.Harepd,
            "harepd promotes (failover.manager)",
            "failover.manager is not harepd: use repmgr's own command (repmgr standby promote), which harepd follows and steers");
        Check(question.Server is { Health: ServerHealth.Running, InRecovery: true }, "this node's server is a running standby", "this node's server is no running standby");
        if (question.Withheld.Length > 0)
        {
            problems.Add(question.Withheld);
        }

        var holder = HolderOf(question);
        Check(holder.Length == 0, "nobody holds the lease", $"{holder} holds the lease: harepd switchover there moves the primary without loss");
        Check(
            question.Last is not { } last || !IsBehindIn(question.Server, last),
            "it is on the last primary's timeline",
            "it is not on the last primary's timeline: the voters would refuse it");
        var loss = LossOf(question);
        Check(
            loss.Length == 0 || acceptsLoss,
            loss.Length == 0 ? "nothing is known to be lacking" : $"{loss}: accepted",
            $"{loss}; --accept-loss says that it may be lost");
        return new TakeoverFinding(passed.ToImmutable(), problems.ToImmutable(), loss);

        void Check(bool isGood, string good, string bad) => (isGood ? passed : problems).Add(isGood ? good : bad);
    }

    /// <summary>What this standby lacks or may lack of the last primary, one sentence; empty when nothing is known.</summary>
    public static string LossOf(FailoverQuestion question)
    {
        if (question.Last is not { } last)
        {
            return "no primary is known since this daemon began, so nobody can say what is lacking";
        }

        var lacks = Failover.MayLack(last, question.Server);
        if (lacks > 0)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"at least {lacks} bytes are lacking: {Failover.NameOf(question, last.Member)} had written {last.WriteLsn}, this standby received {question.Server.WriteLsn}");
        }

        return Failover.DoubtOfLoss(question with { AcceptsLoss = false }) is { Answer: FailoverAnswer.No, Reason: var doubt } ? doubt : "";
    }

    /// <summary>An older timeline, or another one of the same number.</summary>
    internal static bool IsBehindIn(ServerObservation server, Share.LastPrimary last) =>
        server.Timeline.Timeline < last.Timeline.Timeline || (server.Timeline.Timeline == last.Timeline.Timeline && server.Timeline != last.Timeline);

    private static string HolderOf(FailoverQuestion question)
    {
        foreach (var (member, sighting) in question.Sightings)
        {
            if (sighting.Sight == Share.Sight.Holder && member != question.Self)
            {
                return Failover.NameOf(question, member);
            }
        }

        return question.IsLeaseFree ? "" : "another member";
    }
}
