using Harepd.Core.Act;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>Where poolers that need an address send writing clients.</summary>
internal sealed partial class Turn
{
    /// <summary>
    /// This server while HAProxy would be told to write here, else the newest holder that says its gate is open. Nothing is said before a first
    /// place is known: a daemon that starts leaves good traffic alone.
    /// </summary>
    private void SettlePointing()
    {
        if (!settings.PointsClients)
        {
            return;
        }

        var place = _state.Route is { Write: true }
            ? new WriterPlace(_state.RouteTerm, settings.Address, settings.ServerPort)
            : WriterPlace.Seen(_state.View, settings.Self, now, settings.SilentAfter * 2, settings.Freshness);
        if (place == _state.Writer)
        {
            return;
        }

        (place is null ? _closes : _opens).Add(new Effect.Point(place, place?.Term ?? _state.HighestTerm));
        _state = _state with { Writer = place };
    }
}
