using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>A voter without its note of timelines: hears all others, notes the highest, and only then accepts anybody.</summary>
internal sealed partial class Turn
{
    private void SettleHearing()
    {
        if (_state.Hearing is not { } hearing)
        {
            return;
        }

        if (!_state.Voter!.IsTimelineLost)
        {
            Learn(_state.Voter.Timeline);
            return;
        }

        var heard = _state.View.Reports
            .Where(pair => pair.Key != settings.Self && pair.Value.Report.Noted is not null && pair.Value.NotedAt >= hearing.Since)
            .ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Report.Noted.GetValueOrDefault());
        var missing = settings.Membership.Everyone.Where(member => member != settings.Self && !heard.ContainsKey(member)).ToImmutableArray();
        var highest = missing.IsEmpty ? TimelineHearing.Highest([.. heard.Values]) : null;
        if (highest is { IsNone: true })
        {
            _state = _state with { Voter = _state.Voter with { IsTimelineLost = false } };
            Learn(default);
        }
        else if (highest is { } timeline && _state.SavingTimeline is null && now >= hearing.NextTry)
        {
            _saves.Add(new Effect.SaveTimeline(timeline));
            _state = _state with { SavingTimeline = timeline, Hearing = hearing with { NextTry = now + settings.ShareInterval } };
        }
        else if (!hearing.IsTold && now >= hearing.Since + settings.Freshness)
        {
            _state = _state with { Hearing = hearing with { IsTold = true } };
            Note(DecisionKind.TimelineUnknown, Term.None, "", "", missing.IsEmpty
                ? "the other members contradict each other about the last timeline; look at them, then: harepd timeline --trust"
                : $"this voter has no note of the last timeline, and votes for nobody before it has heard from {string.Join(", ", missing)}; if they are gone for good: harepd timeline --trust");
        }
    }

    private void Learn(DurableTimeline timeline)
    {
        _state = _state with { Hearing = null };
        if (!timeline.IsNone)
        {
            Note(DecisionKind.TimelineLearnt, Term.None, "", timeline.Point.ToString(), "heard from the other members");
        }
    }
}
