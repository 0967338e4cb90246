using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Share;

/// <summary>How a member looks from here, from its own last word and the silence since.</summary>
public enum Sight
{
    /// <summary>Never heard.</summary>
    Unheard = 0,

    /// <summary>Holds the lease, by its own word.</summary>
    Holder,

    /// <summary>Its server takes writes, or is alive and cannot be asked, and it holds no lease.</summary>
    Primary,

    /// <summary>Its server is a standby.</summary>
    Standby,

    /// <summary>Its postmaster died.</summary>
    Died,

    /// <summary>It left by itself: the server was stopped cleanly, or the member released the lease and fell silent.</summary>
    Left,

    /// <summary>Its server is starting or recovering from a crash in place.</summary>
    Starting,

    /// <summary>Its server hangs or cannot write.</summary>
    Ill,

    /// <summary>Its daemon cannot say how its server is.</summary>
    Unknown,

    /// <summary>Nothing was heard of it lately, from anybody.</summary>
    Silent,

    /// <summary>It has no server.</summary>
    Witness,
}

/// <summary>How a member looks and since when, on this node's clock.</summary>
public readonly record struct Sighting(Sight Sight, Instant Since)
{
    /// <summary>
    /// The sight of a member; this node has listened since <paramref name="attentiveSince"/>. A member is silent when no new word of it, relayed
    /// ones included, came for <paramref name="silence"/>, or when its last word is older than <paramref name="freshness"/>.
    /// </summary>
    public static Sight Of(SeenReport? seen, Instant attentiveSince, Instant now, TimeSpan silence, TimeSpan freshness)
    {
        if (seen is not { Report: var report })
        {
            return Sight.Unheard;
        }

        if (report.IsWitness)
        {
            return Sight.Witness;
        }

        var isOld = now - seen.MadeAt > freshness && now - attentiveSince >= silence;
        if (now - Instant.Max(seen.HeardAt, attentiveSince) >= silence || isOld)
        {
            return HasLeft(report) ? Sight.Left : Sight.Silent;
        }

        return report.HeldTerm > Term.None ? Sight.Holder : OfHealth(report);
    }

    private static Sight OfHealth(NodeReport report) => report.Health switch
    {
        ServerHealth.Down => Sight.Died,
        ServerHealth.StoppedCleanly => Sight.Left,
        ServerHealth.Starting => Sight.Starting,
        ServerHealth.Hung or ServerHealth.CannotWrite => Sight.Ill,
        ServerHealth.Running or ServerHealth.SlotsFull when report.InRecovery == true => Sight.Standby,
        ServerHealth.Running when report.InRecovery == false => Sight.Primary,
        ServerHealth.SlotsFull => Sight.Primary,
        _ => Sight.Unknown,
    };

    private static bool HasLeft(NodeReport report) => report is { IsShut: true, HeldTerm.Value: 0 }
        and ({ Health: ServerHealth.StoppedCleanly } or { Health: ServerHealth.Running, InRecovery: false });
}
