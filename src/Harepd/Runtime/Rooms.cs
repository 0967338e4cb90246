using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Runtime;

/// <summary>
/// The edge as the loop sees it: one delegate a room. None of them may wait; each hands its work to a lane of its own and reports back by the mailbox.
/// </summary>
internal sealed record Rooms
{
    /// <summary>Arms or disarms the lease watchdog and the guard; done in place, takes microseconds.</summary>
    public required Action<Effect.ArmWatchdog> Arm { get; init; }

    /// <summary>Close, open or verify the gate; one lane for all three (R6).</summary>
    public required Action<Effect> Gate { get; init; }

    /// <summary>Orders to the server: promote, follow; one lane for both.</summary>
    public required Action<Effect> Control { get; init; }

    /// <summary>Orders to the server's process: stop, start, and what comes before; a lane of its own.</summary>
    public required Action<Effect> Order { get; init; }

    /// <summary>Asks the hook that may veto a planned move; answered by the mailbox.</summary>
    public required Action<Effect.ConsultHook> Consult { get; init; }

    /// <summary>Lets repmgr's tables say that this node is the primary; off the loop.</summary>
    public required Action<Term> NotePrimary { get; init; }

    /// <summary>Tells whoever ordered a planned move.</summary>
    public required Action<MoveEvent> TellMove { get; init; }

    /// <summary>Reads the server at once.</summary>
    public required Action Look { get; init; }

    /// <summary>Tell every HAProxy.</summary>
    public required Action<Effect.Steer> Steer { get; init; }

    /// <summary>Tells every PgBouncer.</summary>
    public required Action<Effect.Point> Point { get; init; }

    /// <summary>Pauses clients at every HAProxy and PgBouncer, or ends that; answered by the mailbox.</summary>
    public required Action<Effect> Hold { get; init; }

    /// <summary>Keeps the memory on tmpfs, in place; false when it could not be kept, and then nothing of the step may leave (R7).</summary>
    public required Func<Effect.SaveMemory, bool> Save { get; init; }

    /// <summary>Makes a timeline durable off the loop.</summary>
    public required Action<DurableTimeline> SaveTimeline { get; init; }

    /// <summary>Keeps what is good to know after a restart, off the loop.</summary>
    public required Action<DurableMemory> Keep { get; init; }

    /// <summary>Asks another member's voter.</summary>
    public required Action<MemberId, LeaseRequest> Ask { get; init; }

    /// <summary>Answers a vote that came from outside.</summary>
    public required Action<long, LeaseReply> Answer { get; init; }

    /// <summary>Tells the other members, with all that is known.</summary>
    public required Action<NodeReport, ClusterView> Tell { get; init; }

    /// <summary>Sets how closely the server is watched.</summary>
    public required Action<bool> Pace { get; init; }

    /// <summary>Writes a decision down; never waits for the disk.</summary>
    public required Action<Decision> Record { get; init; }
}
