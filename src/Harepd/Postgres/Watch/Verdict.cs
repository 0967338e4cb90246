using Harepd.Core.Observe;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Watch;

/// <summary>From what was seen to the health of the server, and a sentence for people. Pure; the sentences name no path and no secret.</summary>
/// <param name="Health">The verdict.</param>
/// <param name="Detail">Empty when it is Running.</param>
internal readonly record struct Verdict(ServerHealth Health, string Detail)
{
    private const string AdminShutdown = "57P01";
    private const string CrashShutdown = "57P02";
    private const string QueryCanceled = "57014";

    /// <summary>No postmaster runs.</summary>
    public static Verdict OfNone(ControlFile? control) => control switch
    {
        null => new(ServerHealth.Down, "no postmaster runs, and its control file cannot be read"),
        { IsShutDown: true } => new(ServerHealth.StoppedCleanly, "no postmaster runs; the server was shut down"),
        { State: var state } => new(ServerHealth.Down, $"no postmaster runs; the control file says {Name(state)}"),
    };

    /// <summary>The postmaster runs and says in its pid file that it stops: a login would be refused, and cost a server that has no time to lose.</summary>
    public static Verdict Stopping { get; } = new(ServerHealth.Starting, "the postmaster stops and lets nobody in");

    /// <summary>A session answered; what a fresh connection and a write met meanwhile decides.</summary>
    public static Verdict OfAnswer(bool inRecovery, ProbeFinding probe)
    {
        var login = probe.LoginFault is { } fault ? OfFault(fault, isAlive: true) : new(ServerHealth.Running, "");
        if (login.Health is ServerHealth.Hung)
        {
            return new(ServerHealth.Hung, "sessions from before answer, but the server takes no fresh connection");
        }

        if (!inRecovery && probe.WriteTrouble.Length > 0)
        {
            return new(ServerHealth.CannotWrite, probe.WriteTrouble);
        }

        // A fresh login that is refused for its own sake (a changed password) says nothing against a server that answers.
        return login.Health is ServerHealth.SlotsFull or ServerHealth.Starting ? login : new(ServerHealth.Running, "");
    }

    /// <summary>A login or a statement failed.</summary>
    /// <param name="fault">How.</param>
    /// <param name="isAlive">The postmaster's process is seen.</param>
    public static Verdict OfFault(PgFault fault, bool isAlive) => fault switch
    {
        { Kind: PgFaultKind.NotThere } when isAlive => new(ServerHealth.Starting, "the postmaster runs and does not listen"),
        { Kind: PgFaultKind.NotThere } => new(ServerHealth.Down, "nobody listens at the server's address"),
        { Kind: PgFaultKind.TimedOut } or { SqlState: QueryCanceled } => new(ServerHealth.Hung, "the server does not answer within the hang timeout"),
        { SqlState: PgFault.CannotConnectNow or AdminShutdown or CrashShutdown } =>
            new(ServerHealth.Starting, $"the server refuses sessions because it starts, recovers or stops ({fault.SqlState})"),
        { SqlState: PgFault.TooManyConnections } => new(ServerHealth.SlotsFull, "every connection slot is taken (53300)"),
        { Kind: PgFaultKind.Server, SqlState: var state } => new(ServerHealth.Unknown, $"the server refuses harepd ({state}); its log says why"),
        { Kind: PgFaultKind.Protocol } => new(ServerHealth.Unknown, fault.Message),
        _ => new(ServerHealth.Unknown, "the server ended the connection"),
    };

    private static string Name(ControlState state) => state switch
    {
        ControlState.StartUp => "it was starting",
        ControlState.ShutDown or ControlState.ShutDownInRecovery => "it was shut down",
        ControlState.ShuttingDown => "it was shutting down",
        ControlState.InCrashRecovery => "it was in crash recovery",
        ControlState.InArchiveRecovery => "it was a standby",
        _ => "it was in production",
    };
}
