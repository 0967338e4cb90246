using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>A planned move of the primary to another server, as an operator orders it.</summary>
/// <param name="Id">Chosen by whoever asks; its <see cref="MoveEvent"/>s carry it.</param>
/// <param name="To">Node name of the standby that shall take over; empty for the best.</param>
/// <param name="Pause">How long clients may wait at most before the move is taken back. From 1 s to <see cref="LongestPause"/>.</param>
/// <param name="IsDryRun">Only the checks.</param>
public sealed record MoveOrder(long Id, string To, TimeSpan Pause, bool IsDryRun)
{
    /// <summary>HAProxy's hold ends by itself at about this time.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

    public static readonly TimeSpan DefaultPause = TimeSpan.FromSeconds(10);

    /// <summary>How far ahead a move may be ordered.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromDays(7);

    /// <summary>One that cannot be begun so soon after its time is not begun any more.</summary>
    public static readonly TimeSpan LatestBegin = TimeSpan.FromMinutes(1);

    /// <summary>The server is stopped and started again where it is, under the lease; nobody takes over. <see cref="To"/> means nothing then.</summary>
    public bool IsRestart { get; init; }

    /// <summary>With <see cref="IsRestart"/>: the server stays stopped for so long, under the lease, before it is given up; zero starts it at once.</summary>
    public TimeSpan Halt { get; init; }

    /// <summary>Who wants it: a restart may be the daemon's own, after a crash.</summary>
    public DecisionActor Actor { get; init; } = DecisionActor.Operator;

    /// <summary>Begin after this; zero for now.</summary>
    public TimeSpan After { get; init; }
}

/// <summary>A planned move that is ordered for later; kept over restarts of the daemon.</summary>
/// <param name="Order">As it came; its checks are made when it is due.</param>
/// <param name="Due">When it begins.</param>
public sealed record ScheduledMove(MoveOrder Order, Instant Due);

/// <summary>A planned move under way, or the last one. One at a time; every step has a deadline.</summary>
public sealed record Move
{
    public required MoveOrder Order { get; init; }

    /// <summary>Grows with each move of this member, over restarts too.</summary>
    public required long Number { get; init; }

    /// <summary>The standby that takes over.</summary>
    public required MemberId To { get; init; }

    public required string ToName { get; init; }

    /// <summary>The lease under which it began.</summary>
    public required Term Term { get; init; }

    /// <summary>What that lease was given for; what it is asked back for.</summary>
    public required Candidacy Under { get; init; }

    public required Instant Began { get; init; }

    public MoveStep Step { get; init; }

    public Instant StepBegan { get; init; }

    public Instant StepEnds { get; init; } = Instant.Forever;

    /// <summary>When the pause began, for the report; zero before it did.</summary>
    public Instant PausedAt { get; init; }

    /// <summary>How HAProxy answered to the hold; null before it did.</summary>
    public string? Held { get; init; }

    /// <summary>Who took over, by its first word of it: what the way back as its standby goes by, whatever becomes of it meanwhile; null before.</summary>
    public NodeReport? Successor { get; init; }

    /// <summary>The step's order is given then, and not at once; never where it was.</summary>
    public Instant AskAt { get; init; } = Instant.Forever;

    /// <summary>By when the standby must have everything; afterwards the move is taken back.</summary>
    public Instant PauseEnds { get; init; } = Instant.Forever;

    /// <summary>The end of what the stopped server wrote; zero before it is known.</summary>
    public Lsn End { get; init; }

    /// <summary>How long the way back may take in each of its steps, by an operator's order to start; null for the usual.</summary>
    public TimeSpan? StartLimit { get; init; }

    /// <summary>A server that is stopped by order stays so until then; zero where none is.</summary>
    public Instant HaltEnds { get; init; }

    /// <summary>Number of the order or hold that is waited for; answers to others do not count.</summary>
    public long Awaited { get; init; }

    /// <summary>What went wrong first; empty while all is well.</summary>
    public string Trouble { get; init; } = "";

    public MoveOutcome Outcome { get; init; }

    public bool IsOver => Outcome != MoveOutcome.None;

    /// <summary>Nobody may be let in here, and the lease is kept for the server that was or will be a primary.</summary>
    public bool IsShutting => !IsOver && Step is MoveStep.Shut or MoveStep.Stop or MoveStep.HandOver or MoveStep.TakeOver or MoveStep.TakeBack or MoveStep.Restart or MoveStep.Halt;

    /// <summary>The standby is told of the move.</summary>
    public bool IsOffering => !IsOver && !Order.IsRestart && Step is MoveStep.Hold or MoveStep.Shut or MoveStep.Stop or MoveStep.HandOver or MoveStep.TakeOver;
}

/// <summary>The steps of a planned move, in their order; from <see cref="Restart"/> on those of taking it back.</summary>
public enum MoveStep
{
    /// <summary>The operator's hook is asked, and may say no; nothing is changed.</summary>
    Consult = 0,

    /// <summary>A checkpoint, so that the stop is short; nothing is changed for clients.</summary>
    Prepare,

    /// <summary>New clients wait at HAProxy.</summary>
    Hold,

    /// <summary>The own gate is shut and confirmed; the server's shutdown begins with it.</summary>
    Shut,

    /// <summary>The own server has stopped, with its last checkpoint.</summary>
    Stop,

    /// <summary>The standby must have received everything.</summary>
    HandOver,

    /// <summary>The lease is released; the standby takes it and promotes itself.</summary>
    TakeOver,

    /// <summary>The own server comes back as a standby of the new primary.</summary>
    Rejoin,

    /// <summary>The own server is started again, as the primary it was.</summary>
    Restart,

    /// <summary>The lease was released or lost, and nobody took over: it is asked for again before anything is started.</summary>
    TakeBack,

    /// <summary>The own gate is opened again.</summary>
    Reopen,

    /// <summary>The own server stays stopped under the lease, by an operator's order.</summary>
    Halt,
}
