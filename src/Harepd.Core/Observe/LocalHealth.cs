using Harepd.Core.Model;

namespace Harepd.Core.Observe;

/// <summary>Whether the local server is fit to hold the lease.</summary>
public enum Fitness
{
    /// <summary>Give up what is held.</summary>
    Unfit,

    /// <summary>Keep what is held, ask for nothing.</summary>
    Bearable,

    /// <summary>Writable, seen lately: may ask for the lease.</summary>
    Fit,
}

/// <summary>Judges the local server from what was seen; a truth table with a sentence per row.</summary>
public static class LocalHealth
{
    /// <summary>
    /// The verdict and its reason. <paramref name="troubleSince"/> is when the present trouble began (null for none);
    /// it is borne for <paramref name="grace"/>. An observation older than <paramref name="freshness"/> is no evidence of health.
    /// </summary>
    public static (Fitness Fitness, string Reason) Judge(ServerObservation server, Instant? troubleSince, TimeSpan freshness, TimeSpan grace, Instant now)
    {
        if (now - server.At > freshness)
        {
            return (Fitness.Unfit, "the server has not been seen lately");
        }

        var isBorne = troubleSince is { } since && now - since < grace;
        return server.Health switch
        {
            ServerHealth.Running when server.InRecovery == false => (Fitness.Fit, "the server takes writes"),
            ServerHealth.Running when server.InRecovery == true => (Fitness.Unfit, "the server is a standby"),
            ServerHealth.Running => (Fitness.Bearable, "the server's recovery state is not known"),
            ServerHealth.SlotsFull when server.InRecovery == true => (Fitness.Unfit, "the server is a standby"),
            ServerHealth.SlotsFull => (Fitness.Bearable, "every connection slot is taken; the server is alive"),
            ServerHealth.Unknown => (Fitness.Bearable, "the server has not been looked at yet"),
            ServerHealth.Starting => (isBorne ? Fitness.Bearable : Fitness.Unfit, "the server is starting"),
            ServerHealth.CannotWrite => (isBorne ? Fitness.Bearable : Fitness.Unfit, "the server cannot write"),
            ServerHealth.Hung => (Fitness.Unfit, "the server does not answer"),
            ServerHealth.StoppedCleanly => (Fitness.Unfit, "the server was stopped"),
            ServerHealth.Down => (Fitness.Unfit, "the server is down"),
            _ => (Fitness.Unfit, "the server's health is not known"),
        };
    }

    /// <summary>True for health values that are borne for a while before they count.</summary>
    public static bool IsTrouble(ServerHealth health) => health is ServerHealth.Starting or ServerHealth.CannotWrite;
}
