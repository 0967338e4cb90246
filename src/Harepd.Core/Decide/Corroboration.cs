using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core.Decide;

/// <summary>
/// Whether the old primary's PostgreSQL is known to be gone or fenced (DESIGN sections 4 and 6). That nobody holds the lease is not enough:
/// losing the lease is not a promotion. What speaks for a living primary delays, and nothing hastens but its own daemon's word.
/// </summary>
public static class Corroboration
{
    /// <summary>Null when it is; otherwise what stands in the way, and until when to wait for it.</summary>
    public static FailoverVerdict? Doubt(FailoverQuestion question) =>
        (question.Last is { } last ? DoubtOfLast(question, last) : null) ?? DoubtOfOthers(question) ?? DoubtOfStreams(question);

    private static FailoverVerdict? DoubtOfLast(FailoverQuestion question, LastPrimary last)
    {
        var sighting = question.Sightings.GetValueOrDefault(last.Member);
        var report = question.View.Reports.GetValueOrDefault(last.Member)?.Report;
        var isShut = report?.IsShut == true;
        var grace = sighting.Since + question.Policy.StopGrace;
        switch (sighting.Sight)
        {
            case Sight.Silent:
                return null;
            case Sight.Died when question.Policy.RestartsFirst && report?.IsGivenUp != true:
                return Until(grace, "the primary crashed and may come back where it is (onCrash: restart)");
            case Sight.Died or Sight.Ill when isShut:
                return null;
            case Sight.Left:
                return Until(grace, "the primary was stopped cleanly and may be a restart");
            case Sight.Standby:
                return Until(grace, "the primary was made a standby");
            case Sight.Starting when isShut:
                return Until(grace, "the primary is starting");
            case Sight.Primary when isShut:
                return Until(grace, "the primary lives and may get the lease back");
            case Sight.Unknown when isShut:
                return Until(grace, "the primary's daemon cannot say how its server is");
            case Sight.Holder:
                return FailoverVerdict.Wait("the primary's last word was that it holds the lease", HeardAt(question, last.Member) + question.SilentAfter);
            default:
                return FailoverVerdict.Wait("the primary's gate is not confirmed shut", Instant.Forever);
        }

        // An operator who orders it has waited long enough.
        FailoverVerdict? Until(Instant end, string reason) => question.Now >= end || question.IsOrdered ? null : FailoverVerdict.Wait(reason, end);
    }

    /// <summary>Another server that takes writes on this timeline or a later one, or a holder that speaks, is nothing to promote beside.</summary>
    private static FailoverVerdict? DoubtOfOthers(FailoverQuestion question)
    {
        foreach (var (member, sighting) in question.Sightings)
        {
            if (member == question.Self || member == question.Last?.Member || question.View.Reports.GetValueOrDefault(member)?.Report is not { } report)
            {
                continue;
            }

            if (sighting.Sight == Sight.Holder || (sighting.Sight == Sight.Primary && report.Timeline.Timeline >= question.Server.Timeline.Timeline))
            {
                return FailoverVerdict.Wait($"another server takes writes or will: {report.NodeName}", HeardAt(question, member) + question.SilentAfter);
            }
        }

        return null;
    }

    /// <summary>
    /// A walreceiver that got a message a moment ago speaks for a living primary, and what it still receives would be lost. A stream from a standby
    /// that is seen as one says nothing of the kind.
    /// </summary>
    private static FailoverVerdict? DoubtOfStreams(FailoverQuestion question)
    {
        var server = question.Server;
        var own = server.IsStreaming ? DoubtOfStream(question, question.NodeName, server.UpstreamHost, server.UpstreamSilence, server.At) : null;
        if (own is not null)
        {
            return own;
        }

        foreach (var (member, sighting) in question.Sightings)
        {
            var seen = question.View.Reports.GetValueOrDefault(member);
            var doubt = member != question.Self && sighting.Sight == Sight.Standby && seen is { Report: { IsStreaming: true } report }
                ? DoubtOfStream(question, report.NodeName, report.UpstreamHost, report.UpstreamSilence, seen.MadeAt)
                : null;
            if (doubt is not null)
            {
                return doubt;
            }
        }

        return null;
    }

    private static FailoverVerdict? DoubtOfStream(FailoverQuestion question, string name, string upstream, TimeSpan? silence, Instant at)
    {
        var end = at - (silence ?? TimeSpan.Zero) + question.StreamSilence;
        return question.Now >= end || IsStandby(question, upstream)
            ? null
            : FailoverVerdict.Wait($"{name} still receives from the primary", end);
    }

    private static bool IsStandby(FailoverQuestion question, string host) => host.Length > 0 && question.View.Reports.Any(pair =>
        pair.Value.Report.Address == host && question.Sightings.GetValueOrDefault(pair.Key).Sight == Sight.Standby);

    private static Instant HeardAt(FailoverQuestion question, MemberId member) =>
        question.View.Reports.GetValueOrDefault(member)?.HeardAt ?? question.Now;
}
