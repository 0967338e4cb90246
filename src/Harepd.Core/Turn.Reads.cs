using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>Which server readers may use: how far behind, how steady, and the primary as a last resort.</summary>
internal sealed partial class Turn
{
    /// <summary>A list of names in a report stays below what one message may carry.</summary>
    private const int MostNames = 16;

    /// <summary>
    /// Reads are allowed below the limits, and taken away only above them; between half and whole nothing changes. A standby that was taken away must
    /// be well for a while without a break before it is back, so that one that flaps
    /// does not flap at HAProxy. Who was a primary meanwhile begins anew.
    /// </summary>
    private void TakeReadability(ServerObservation server)
    {
        var isStandby = server is { Health: ServerHealth.Running, InRecovery: true };
        var streamLostAt = isStandby && !server.IsStreaming ? _state.StreamLostAt ?? now : (Instant?)null;
        var wasReadable = _state.IsReadable;
        var isWell = isStandby && server.IsStreaming && IsWithin(server, streamLostAt, 2);
        var isReadable = wasReadable
            ? isStandby && IsWithin(server, streamLostAt, 1)
            : isWell && now >= _state.ReadsNotBefore;
        var isPrimary = server.IsWritable;
        var hasFlapped = wasReadable ? !isReadable : !isWell && _state.ReadsNotBefore > Instant.Zero;
        _state = _state with
        {
            IsReadable = isReadable,
            StreamLostAt = streamLostAt,
            ReadsNotBefore = isPrimary ? Instant.Zero : hasFlapped ? now + settings.ReadsSettle : _state.ReadsNotBefore,
        };
    }

    /// <summary>
    /// Within the limits divided by <paramref name="part"/>, in bytes behind the holder's last word as well as in time. Without a stream nobody knows what
    /// is missing: the age of the data is then counted from when the stream was lost.
    /// </summary>
    private bool IsWithin(ServerObservation server, Instant? streamLostAt, int part)
    {
        var newest = server.WriteLsn > HolderLsn(server.At) ? server.WriteLsn : HolderLsn(server.At);
        var bytes = newest > server.ReplayLsn ? newest.Value - server.ReplayLsn.Value : 0;
        var delay = server.ReplayDelay ?? TimeSpan.Zero;
        var silent = streamLostAt is { } lost ? now - lost : TimeSpan.Zero;
        // There is nothing newer to read than what this standby has, until somebody decides.
        return _state.Promotion.Verdict.AwaitsAcceptance || bytes <= (ulong)(settings.MaxLagBytes / part) && (silent > delay ? silent : delay) <= settings.MaxLagTime / part;
    }

    /// <summary>The holder's position by a report made before this reading: a later one would count WAL that was written after it.</summary>
    private Lsn HolderLsn(Instant readAt)
    {
        foreach (var seen in _state.View.Reports.Values)
        {
            if (seen.Report is { HeldTerm: var term, InRecovery: false } report && term > Term.None && seen.MadeAt <= readAt && now - seen.MadeAt <= settings.Freshness)
            {
                return report.WriteLsn;
            }
        }

        return default;
    }

    /// <summary>The holder serves readers too: always, or while no standby says that it does.</summary>
    private bool MayPrimaryServeReads() => settings.PrimaryReads switch
    {
        PrimaryReads.Always => true,
        PrimaryReads.LastResort => !_state.View.Reports.Any(pair =>
            pair.Key != settings.Self && pair.Value.Report is { Gate: Gate.ReadOnly, Orders: null or { IsMaintained: false } } && now - pair.Value.MadeAt <= settings.Freshness),
        _ => false,
    };

    /// <summary>The standbys that replicate in this way, by the name they give themselves, in order.</summary>
    private static string NamesOf(ServerObservation server, string syncState) => server.InRecovery != false ? "" : string.Join(
        ',', server.Replicas.Where(link => link.SyncState == syncState).Select(link => link.ApplicationName).Order(StringComparer.Ordinal).Take(MostNames));
}
