using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core.Act;

/// <summary>
/// What the machine asks the rooms at the edge to do. Closed set. The order of an output is a contract:
/// closes first, then what must be saved, then what is sent, opens last.
/// </summary>
public abstract record Effect
{
    private Effect()
    {
    }

    /// <summary>Tells watchdog and guard until when the write gate may be open; <see cref="Instant.Zero"/> disarms.</summary>
    public sealed record ArmWatchdog(Term Term, Instant FenceAt, Instant Deadline) : Effect;

    /// <summary>
    /// Narrow the gate: HBA at once, sessions ended, confirmed. When that cannot be confirmed by <paramref name="FinishBy"/> and
    /// <paramref name="MayStop"/> is set (the server takes or took writes), the postmaster is stopped.
    /// </summary>
    public sealed record CloseGate(long Sequence, Gate To, Term Term, Instant FinishBy, bool MayStop, string Reason) : Effect
    {
        /// <summary>
        /// The server is stopped next (<see cref="StopServer"/>), so a fast shutdown may begin as soon as the block is on disk: it ends the sessions itself, and a server
        /// that is stopping lets nobody in. The close is confirmed once no session is left; the stop has its own answer.
        /// </summary>
        public bool BeginsStop { get; init; }
    }

    /// <summary>Widen the gate. Not to be done at or after <paramref name="NotAfter"/>; shut again at once when it was late (R6).</summary>
    public sealed record OpenGate(long Sequence, Gate To, Term Term, Instant NotAfter) : Effect;

    /// <summary>Look whether the gate is still what it should be, on disk and in the server, and mend it.</summary>
    public sealed record VerifyGate(long Sequence, Gate Expected, Term Term, Instant NotAfter) : Effect;

    /// <summary>What HAProxy is to do with this node: write route and read route.</summary>
    public sealed record Steer(Route Route, Term Term, Instant NotAfter) : Effect;

    /// <summary>
    /// Where poolers that need an address (PgBouncer) send writing clients; null lets them wait until somebody is known. A null one is a close.
    /// It opens no gate: a server that is named wrongly refuses by its own.
    /// </summary>
    public sealed record Point(WriterPlace? Place, Term Term) : Effect;

    /// <summary>
    /// For a planned move: pause new clients at every HAProxy instead of failing them. This node's server takes no new one, sessions on it go on,
    /// and whoever comes waits in HAProxy's queue until another server is made ready, <see cref="ReleaseHold"/>, or <paramref name="Until"/> (boot-time
    /// clock) at the latest. A close: goes out with the closes, under the held <paramref name="Term"/>. Answered once, by
    /// <see cref="Input.HoldSettled"/> with the same sequence; a HAProxy without a hold is not held, and the fence that follows cuts it.
    /// </summary>
    public sealed record EngageHold(long Sequence, Term Term, Instant Until) : Effect;

    /// <summary>
    /// End the hold now: while the lease is held the route is opened again, otherwise waiting clients are let go. Goes out with the opens. Not needed
    /// when the move succeeds: the next holder's own opening releases what waits.
    /// </summary>
    public sealed record ReleaseHold(long Sequence) : Effect;

    /// <summary>
    /// Make the standby a primary, by the way that does not block. Not to be begun at or after <paramref name="NotAfter"/> or without a lease:
    /// the clock is read just before. Answered with <see cref="Input.PromotionAsked"/>; whether it worked is seen by looking.
    /// </summary>
    public sealed record Promote(Term Term, Instant NotAfter, TimelinePoint From) : Effect;

    /// <summary>
    /// For a planned move, before anything else: asks the operator's hook, which may veto it. Given up at <paramref name="Until"/>. Answered with
    /// <see cref="Input.OrderDone"/>; a hook that says no, hangs or cannot be run has not done it.
    /// </summary>
    public sealed record ConsultHook(long Sequence, Term Term, string To, Instant Until) : Effect;

    /// <summary>
    /// For a planned move: a checkpoint, and <c>primary_conninfo</c> for the time after it; changes nothing for clients. Given up at <paramref name="Until"/>.
    /// Answered with <see cref="Input.OrderDone"/>, as are the next two.
    /// </summary>
    public sealed record PrepareMove(long Sequence, Term Term, string Host, int Port, Instant Until) : Effect;

    /// <summary>
    /// Stop the server (fast) and tell the end of what it wrote. The gate is shut already. A server that does not stop until <paramref name="Until"/> is
    /// stopped at once (immediate), and the order has failed.
    /// </summary>
    public sealed record StopServer(long Sequence, Term Term, Instant Until) : Effect
    {
        /// <summary>A standby will do as well; the end that is told then is where its replay was.</summary>
        public bool IsAnyServer { get; init; }
    }

    /// <summary>
    /// Start the stopped server: as the primary it was, only while the lease is held or with <see cref="IsShut"/>, or as a standby of <paramref name="Host"/>. Refused unless
    /// its block on disk is shut. Given up at <paramref name="Until"/>.
    /// </summary>
    /// <param name="Sequence">For the answer.</param>
    /// <param name="Term">Orders of an older term are refused (R11).</param>
    /// <param name="Host">Whom to stream from; empty to start as a primary, or with <see cref="IsAsItWas"/>.</param>
    /// <param name="Port">Of that server.</param>
    /// <param name="Until">Boot-time clock.</param>
    public sealed record StartServer(long Sequence, Term Term, string Host, int Port, Instant Until) : Effect
    {
        /// <summary>A standby that follows whom it followed before; nothing is made for it anywhere.</summary>
        public bool IsAsItWas { get; init; }

        /// <summary>A crashed primary whose place was taken, to be made a standby: no lease is wanted for it, nor does it get one.</summary>
        public bool IsShut { get; init; }
    }

    /// <summary>
    /// Make the server, a primary of before that holds no lease, a standby of the holder: stop it, rewind it where it has what the holder never had, start it. Refused
    /// while this member has a lease or its block on disk is not shut. Given up at <paramref name="Until"/>; answered with <see cref="Input.OrderDone"/>.
    /// </summary>
    /// <param name="Sequence">For the answer.</param>
    /// <param name="Term">The holder's; orders of an older term are refused (R11).</param>
    /// <param name="Host">Of the holder's server.</param>
    /// <param name="Port">Of the holder's server.</param>
    /// <param name="Timeline">What the holder writes.</param>
    /// <param name="Until">Boot-time clock.</param>
    public sealed record RejoinServer(long Sequence, Term Term, string Host, int Port, TimelinePoint Timeline, Instant Until) : Effect
    {
        /// <summary>How far the server had written, or a standby received, when it was last seen.</summary>
        public Lsn Received { get; init; }
    }

    /// <summary>This member became the primary under this lease and serves: repmgr's tables are to say so, where there are any. Not answered.</summary>
    public sealed record NotePrimary(Term Term) : Effect;

    /// <summary>Tell whoever ordered a planned move what became of it.</summary>
    public sealed record TellMove(MoveEvent Event) : Effect;

    /// <summary>Read the server at once, whatever the rhythm.</summary>
    public sealed record Look : Effect;

    /// <summary>A promotion of this server may be asked for in a moment: what it needs is to be at hand. Changes nothing.</summary>
    public sealed record GetReady : Effect;

    /// <summary>Let the standby stream from this server from now on; nothing is done when it does already.</summary>
    public sealed record Follow(Term Term, string Host, int Port) : Effect;

    /// <summary>
    /// Let the primary wait for these standbys before it acknowledges (<c>synchronous_standby_names</c>), by a reload. Given up at <paramref name="Until"/>,
    /// and not begun without the lease. Answered with <see cref="Input.OrderDone"/>; whether it is in force is seen by looking.
    /// </summary>
    public sealed record Synchronize(long Sequence, Term Term, Synchrony Wanted, Instant Until) : Effect;

    /// <summary>Keep the memory of this run on tmpfs before anything leaves (R7).</summary>
    public sealed record SaveMemory(VoterState? Voter, LeaseState? Lease) : Effect;

    /// <summary>Make a timeline durable, off the loop; answered with <see cref="Input.TimelineSaved"/> or <see cref="Input.TimelineNotSaved"/>.</summary>
    public sealed record SaveTimeline(DurableTimeline Timeline) : Effect;

    /// <summary>Keep over a restart what is good to know, off the loop; not answered, and nothing waits for it.</summary>
    public sealed record KeepMemory(DurableMemory Memory) : Effect;

    /// <summary>Ask a voter, the own one included.</summary>
    public sealed record Ask(MemberId To, LeaseRequest Request) : Effect;

    /// <summary>Answer a vote that was asked.</summary>
    public sealed record Answer(long RequestId, LeaseReply Reply) : Effect;

    /// <summary>Tell every other member this report (and what else is known).</summary>
    public sealed record Tell(NodeReport Report) : Effect;

    /// <summary>Look at the server every few milliseconds (the lease is free, or a death was reported), or calmly.</summary>
    public sealed record SetPace(bool IsAlarmed) : Effect;

    /// <summary>A decision, for log and history.</summary>
    public sealed record Record(Decision Decision) : Effect;
}

/// <summary>How HAProxy treats this node. <see cref="Write"/> means: the others are cut first, then this one is made ready.</summary>
public readonly record struct Route(bool Write, bool Read)
{
    /// <summary>No new readers, but those that are here may stay.</summary>
    public bool LeavesReaders { get; init; }

    /// <summary>No traffic at all.</summary>
    public static readonly Route None;
}

/// <summary>Kinds of decisions; the numbers are event ids and never change.</summary>
public enum DecisionKind
{
    None = 0,
    Started = 100,
    LeaseAcquired = 110,
    LeaseYielded = 111,
    LeaseReleased = 112,
    ElectionRefused = 113,
    HolderSeen = 114,
    GateAsked = 120,
    GateConfirmed = 121,
    GateFailed = 122,
    RogueSeen = 130,
    TwoPrimariesSeen = 131,
    ServerChanged = 140,
    PaceChanged = 150,
    WatchdogFired = 160,
    MembershipRefused = 170,
    TimelineNotSaved = 171,
    TimelineUnknown = 172,
    TimelineLearnt = 173,
    Stopping = 180,
    HoldSettled = 185,
    FailoverWaits = 200,
    FailoverBegins = 201,
    PromotionAsked = 202,
    PromotionDone = 203,
    PromotionFailed = 204,
    FailoverAdvised = 205,
    PossibleLoss = 206,
    FailoverOrdered = 207,
    FailoverOrderEnded = 208,
    MoveBegins = 210,
    MoveStep = 211,
    MoveEnded = 212,
    MoveRefused = 213,
    MoveScheduled = 214,
    MoveResumed = 215,
    MoveForgotten = 216,
    RejoinAdvised = 220,
    RejoinBegins = 221,
    RejoinDone = 222,
    RejoinFailed = 223,
    SynchronyInForce = 240,
    SynchronyNoted = 241,
    SynchronyAsked = 242,
    SynchronyFailed = 243,
    MaintenanceBegins = 250,
    MaintenanceEnded = 251,
    FenceOrdered = 252,
    FenceEnded = 253,
    StopOrdered = 254,
    StopDone = 255,
    StopEnded = 256,
    StartOrdered = 257,
    StartDone = 258,
    CrashedStarts = 259,
    Paused = 230,
    Resumed = 231,
}
