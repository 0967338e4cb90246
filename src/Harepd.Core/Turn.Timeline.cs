using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>A voter without its note of timelines: hears all others, notes the highest, and only then accepts anybody.</summary>
internal sealed partial class Turn
{
    private void HearNoted(NodeReport report)
    {
        if (_state.Hearing is { } hearing && report.Member != settings.Self && report.Noted is { } noted && now - report.NotedAge >= hearing.Since)
        {
            _state = _state with { Hearing = hearing with { Heard = hearing.Heard.SetItem(report.Member, noted) } };
        }
    }

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

        var missing = hearing.Missing(settings.Membership, settings.Self);
        var highest = missing.IsEmpty ? hearing.Highest() : null;
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
