using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>
/// What this primary waits for, and what the voters are told of it: weaker is told first and done afterwards, stronger is done, seen and caught up with first
/// and told afterwards (ADR 0018). So whatever a majority noted, no acknowledged commit ever had less.
/// </summary>
internal sealed partial class Turn
{
    /// <summary>A reload reaches the processes of a server one after the other.</summary>
    private static readonly TimeSpan Taking = TimeSpan.FromSeconds(1);

    private void TakeSynchrony(ServerObservation server)
    {
        var known = _state.Synchrony;
        if (server.InRecovery == true)
        {
            _state = known is { WasStandby: true, InForce: null, Open: null, Reign.Value: 0 } ? _state : _state with { Synchrony = new SynchronyState { WasStandby = true } };
            return;
        }

        if (!server.IsWritable)
        {
            return;
        }

        var run = (server.PostmasterStarted, server.Timeline);
        if (known.Run != run)
        {
            known = known with { Run = run, Proven = Synchrony.None, InForce = null };
        }

        var inForce = InForceOf(server);
        if (known.InForce is not { } before || !before.Equals(inForce))
        {
            var weaker = known.InForce is null ? Synchrony.None : Synchrony.Weaker(known.Proven, inForce);
            if (!inForce.IsNone || known.InForce is { IsNone: false })
            {
                Note(DecisionKind.SynchronyInForce, _state.HighestTerm, known.InForce?.ToString() ?? "", inForce.ToString(), "what the server waits for before it acknowledges");
            }

            known = known with { InForce = inForce, Since = server.At, TakenAt = Instant.Zero, From = default, Proven = weaker };
        }

        var next = Seen(Catch(known, server), server);
        if (next.TakenAt != known.TakenAt || next.From != known.From)
        {
            // The next look may prove it.
            _sends.Add(new Effect.Look());
        }

        _state = _state with { Synchrony = next with { WrittenBefore = next.Written, Written = server.WriteLsn } };
    }

    /// <summary>The setting without the primary itself; a name that two servers use proves nothing.</summary>
    private Synchrony InForceOf(ServerObservation server)
    {
        var seen = (server.Synchrony ?? Synchrony.None).Without(settings.NodeName);
        var isDoubled = server.Replicas.Where(link => link.State == "streaming" && seen.Has(link.ApplicationName))
            .GroupBy(link => Synchrony.Fold(link.ApplicationName)).Any(links => links.Select(link => link.ClientAddress).Distinct().Count() > 1);
        return isDoubled ? Synchrony.None : seen;
    }

    /// <summary>Taken in by all sessions first; what was written by a later look is then waited for at as many as the setting names.</summary>
    private static SynchronyState Catch(SynchronyState known, ServerObservation server)
    {
        if (known.Open is not null)
        {
            return known;
        }

        if (known.TakenAt == Instant.Zero)
        {
            return server.IsSynchronyTaken && server.At - known.Since >= Taking ? known with { TakenAt = server.At } : known;
        }

        if (known.From == default)
        {
            return server.At > known.TakenAt ? known with { From = server.WriteLsn } : known;
        }

        var inForce = known.InForce!;
        var have = server.Replicas.Where(link => link.State == "streaming" && link.FlushLsn >= known.From).Select(link => Synchrony.Fold(link.ApplicationName)).Distinct().Count(inForce.Has);
        return have >= inForce.Count ? known with { Proven = inForce } : known;
    }

    /// <summary>
    /// An order is over when the server is seen to do it, by a look begun after it was done. What was waited for meanwhile nobody saw, so it is proven anew.
    /// </summary>
    private static SynchronyState Seen(SynchronyState known, ServerObservation server) =>
        known.Told is { } told && known.Awaited == 0 && server.At > known.DoneAt && known.InForce!.Equals(told)
            ? known with { Open = null, IsOwn = true, DoneAt = Instant.Forever, Trouble = "", Since = server.At, TakenAt = Instant.Zero, From = default }
            : known;

    /// <summary>A candidacy with what is to be said of it: a standby passes on what the last primary said, and a primary what it proved itself.</summary>
    private Candidacy WithStatement(Candidacy candidacy) => candidacy with
    {
        Stated = _state.Server.InRecovery == true || candidacy.Timeline != _state.Synchrony.Run.Timeline
            ? _state.Server.InRecovery == true ? _state.Promotion.Proof?.Given : Synchrony.None
            : _state.Synchrony.Statement,
    };

    /// <summary>What is weaker than what the voters noted is told at once; an operator may have changed it by hand.</summary>
    private void HurryStatement()
    {
        if (_state.Lease is { Held.Under: { Stated: { } noted } under } lease && WithStatement(under).Stated is { } statement && !statement.Implies(noted)
            && lease.Attempt?.For?.Stated?.Equals(statement) != true && now >= _state.Synchrony.NextHurry)
        {
            _state = _state with
            {
                Lease = lease with { NextRenewal = now },
                Synchrony = _state.Synchrony with { NextHurry = now + settings.Lease.Retransmit },
            };
        }
    }

    private void RecordStatement()
    {
        if (_state.Lease?.Held is not { Under.Stated: { } noted } held || _state.Server.InRecovery == true || noted.Equals(_state.Synchrony.Recorded))
        {
            return;
        }

        Note(DecisionKind.SynchronyNoted, held.Term, _state.Synchrony.Recorded.ToString(), noted.ToString(), "a majority noted that each acknowledged commit is on so many");
        _state = _state with { Synchrony = _state.Synchrony with { Recorded = noted } };
    }
}
