using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Decide;

/// <summary>Who may ask for the lease: a member whose server is writable, on a known timeline of a known system, and whose gate is shut.</summary>
public static class Eligibility
{
    /// <summary>
    /// The candidacy of the local server, or null with the reason. A holder keeps the one it was elected for while its server is bearable
    /// and shows no other; a newcomer needs a fit server and a gate that is confirmed shut (R7: the old gate is shut before the first attempt).
    /// </summary>
    public static (Candidacy? Candidacy, string Reason) Of(ServerObservation server, Fitness fitness, string reason, HeldLease? held, bool isGateShut)
    {
        if (fitness == Fitness.Unfit || (fitness == Fitness.Bearable && held is null))
        {
            return (null, reason);
        }

        if (held?.Under is { } under)
        {
            return Contradicts(server, under)
                ? (null, "the server is not on the timeline that the lease was given for")
                : (under, reason);
        }

        if (server.Timeline.IsUnknown || server.SystemId.IsUnknown)
        {
            return (null, "the server's timeline or system identifier is not known");
        }

        return held is not null || isGateShut
            ? (new Candidacy(server.Timeline, server.SystemId), reason)
            : (null, "the gate is not confirmed shut yet");
    }

    /// <summary>A server that cannot be asked for a while (starting, every slot taken, not looked at yet) contradicts nothing.</summary>
    private static bool Contradicts(ServerObservation server, Candidacy under) =>
        (!server.Timeline.IsUnknown && server.Timeline != under.Timeline) || (!server.SystemId.IsUnknown && server.SystemId != under.System);
}
