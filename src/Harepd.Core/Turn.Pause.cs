using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>An operator's pause of everything automatic but the safety: it travels with the reports, and ends by itself on every member.</summary>
internal sealed partial class Turn
{
    /// <summary>The pause that counts is the one with the highest number, whoever told of it.</summary>
    private void TakePause(long number, Instant from, TimeSpan span)
    {
        if (number <= _state.Promotion.PauseNumber)
        {
            return;
        }

        var until = span <= TimeSpan.Zero ? Instant.Zero : from + (span < FailoverPause.Longest ? span : FailoverPause.Longest);
        _state = _state with { Promotion = _state.Promotion with { PauseNumber = number, PausedUntil = until } };
        var what = until > now ? $"no automatic failover for {until - now:d\\.hh\\:mm\\:ss}" : "automatic failovers again";
        Note(until > now ? DecisionKind.Paused : DecisionKind.Resumed, _state.HighestTerm, "", "", what, actor: DecisionActor.Operator);
    }

    private FailoverPause? PauseNow()
    {
        var promotion = _state.Promotion;
        return promotion.PauseNumber == 0 ? null : new FailoverPause(promotion.PauseNumber, promotion.PausedUntil > now ? promotion.PausedUntil - now : TimeSpan.Zero);
    }
}
