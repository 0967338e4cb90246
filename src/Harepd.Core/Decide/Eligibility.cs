using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Decide;

/// <summary>Who may ask for the lease: a member whose server is writable, on a known timeline of a known system, and whose gate is shut.</summary>
public static class Eligibility
{
    /// <summary>
    /// The candidacy of the local server, or null with the reason. A holder keeps its candidacy while its server is bearable;
    /// a newcomer needs a fit server and a gate that is confirmed shut (R7: the old gate is shut before the first attempt).
    /// </summary>
    public static (Candidacy? Candidacy, string Reason) Of(ServerObservation server, Fitness fitness, string reason, bool isHolder, bool isGateShut)
    {
        if (fitness == Fitness.Unfit || (fitness == Fitness.Bearable && !isHolder))
        {
            return (null, reason);
        }

        if (server.Timeline.IsUnknown || server.SystemId.IsUnknown)
        {
            return (null, "the server's timeline or system identifier is not known");
        }

        return isHolder || isGateShut
            ? (new Candidacy(server.Timeline, server.SystemId), reason)
            : (null, "the gate is not confirmed shut yet");
    }
}
