using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// One machine: its clock, disk, tmpfs, server, the gate as the server would enforce it, and the guard that shuts it from outside the
/// daemon. What is here outlives the daemon's process; what is on tmpfs does not outlive a boot.
/// </summary>
internal sealed class SimHost(World world, int index, bool hasData)
{
    /// <summary>The guard is done this long before the deadline, at the very last.</summary>
    private static readonly TimeSpan Promptness = TimeSpan.FromMicroseconds(1);
    private bool _isGuardWatching;

    public int Index => index;

    public MemberId Id { get; } = new($"{(hasData ? "d" : "w")}{index}");

    public string Name => Id.Address;

    public bool HasData => hasData;

    public HostClock Clock { get; set; } = new(0, 0);

    public long WallOffsetMillis { get; set; }

    public bool IsUp { get; set; } = true;

    public bool IsSuspended { get; set; }

    public SimServer Server { get; } = new();

    // tmpfs
    /// <summary>What a daemon kept for the next one of this boot; all but a planned move is forgotten with it, for nothing here is by the calendar.</summary>
    public DurableMemory Kept { get; set; } = new();

    public VoterState? VoterOnTmpfs { get; set; }

    public LeaseState? LeaseOnTmpfs { get; set; }

    // disk
    public DurableTimeline TimelineOnDisk { get; set; }

    /// <summary>What it had noted when its disk was lost.</summary>
    public TimelinePoint TimelineLost { get; set; }

    public Gate Block { get; private set; } = Gate.Fenced;

    public Term BlockTerm { get; private set; }

    /// <summary>Sessions of ordinary clients that can write; they outlive a change of the block.</summary>
    public bool HasWriters { get; private set; }

    /// <summary>What the guard was told last, in shared memory; zero when disarmed.</summary>
    public Instant GuardDeadline { get; private set; }

    /// <summary>The end of the last lease this host was granted and has not released, and under which term; for the checkers.</summary>
    public Instant LeaseUntil { get; set; }

    public Term LeaseTerm { get; set; }

    /// <summary>When an operator's order last kept it from taking over.</summary>
    public long WithheldAt { get; set; } = -1000 * Span.Second;

    /// <summary>When it last released a lease that it had.</summary>
    public long ReleasedAt { get; set; }

    public List<SimProcess> Processes { get; } = [];

    public Instant Now => Clock.Read(world.Agenda.Now);

    /// <summary>Clients can write here now: the server takes writes, and the block lets them in or earlier sessions survive.</summary>
    public bool IsWriteOpen => !IsSuspended && Server.TakesWrites && (Block == Gate.ReadWrite || HasWriters);

    public bool HoldsLease => LeaseUntil > Now;

    public SimProcess? Candidate => Processes.FirstOrDefault(process => process.Settings.HasCandidate);

    public SimProcess? VotingProcess => Processes.FirstOrDefault(process => process.Settings.HasVoter);

    /// <summary>Clients connect wherever they are let in.</summary>
    public void Touch()
    {
        if (Server.TakesWrites && Block == Gate.ReadWrite)
        {
            HasWriters = true;
        }

        if (!Server.TakesWrites)
        {
            HasWriters = false;
        }
    }

    /// <summary>The server was promoted: the sessions of its readers can write from now on.</summary>
    public void LetReadersWrite() => HasWriters |= Block == Gate.ReadOnly;

    public void SetBlock(Gate gate, Term term)
    {
        Block = gate;
        BlockTerm = term;
        Touch();
    }

    /// <summary>A clone or pg_rewind brings the other node's file along; the server enforces it until somebody looks.</summary>
    public void CopyBlockOf(SimHost other) => SetBlock(other.Block, BlockTerm);

    public void EndSessions()
    {
        if (Block != Gate.ReadWrite)
        {
            HasWriters = false;
        }
    }

    public void StopServer(bool isClean)
    {
        Server.IsRunning = false;
        Server.IsReceiving = false;
        Server.IsHung = false;
        Server.IsPromoting = false;
        Server.WasStoppedCleanly = isClean;
        Server.DownSince = world.Agenda.Now;
        Touch();
        Candidate?.ServerDied();
    }

    /// <summary>A fast shutdown begins: it goes on whatever becomes of the daemon, and what was written reaches the standbys that stream.</summary>
    public void StopSoon(long delay)
    {
        var run = Server.UpSince;
        world.Agenda.After(delay, () =>
        {
            if (Server.IsRunning && !Server.IsHung && Server.UpSince == run)
            {
                world.Note(Name, "server ends the shutdown that began with its gate");
                world.Replication.Flush(this);
                StopServer(isClean: true);
            }
        });
    }

    public void StartServerIfUp()
    {
        if (IsUp && !Server.IsRunning)
        {
            StartServer();
        }
    }

    public void StartServer()
    {
        // What the unit file does before PostgreSQL starts: without a live lease the block is shut (DESIGN section 5).
        if (!HoldsLease && Block != Gate.Fenced && !world.Mutation.TrustsAnyBlock)
        {
            SetBlock(Gate.Fenced, BlockTerm);
        }

        Server.IsRunning = true;
        Server.UpSince = world.Agenda.Now;
        Server.WasStoppedCleanly = false;
        Touch();
        Candidate?.LookSoon();
    }

    /// <summary>The guard reads its deadline from shared memory and fences by itself when it passes (R12).</summary>
    public void TellGuard(Instant deadline)
    {
        GuardDeadline = deadline;
        if (deadline != Instant.Zero && !_isGuardWatching)
        {
            PlanGuard();
        }
    }

    private void WatchGuard()
    {
        _isGuardWatching = false;
        if (GuardDeadline == Instant.Zero || IsSuspended)
        {
            return;
        }

        if (Now < GuardDeadline - Promptness)
        {
            PlanGuard();
            return;
        }

        GuardDeadline = Instant.Zero;
        world.Note(Name, "guard fences");
        SetBlock(Gate.Fenced, BlockTerm);
        EndSessions();
    }

    private void PlanGuard()
    {
        _isGuardWatching = true;
        world.Agenda.At(Clock.TimeOf(GuardDeadline - Promptness), WatchGuard);
    }

    /// <summary>Everything on the machine stood still while its clock went on; the guard is the first to run again.</summary>
    public void Resume()
    {
        IsSuspended = false;
        WatchGuard();
        foreach (var process in Processes.Where(process => !process.IsPaused).ToList())
        {
            process.Thaw();
        }
    }

    /// <summary>A boot: shared memory, tmpfs and sessions are gone, the clock begins anew, the block is shut before the server starts.</summary>
    public void Boot(HostClock clock)
    {
        Clock = clock;
        GuardDeadline = Instant.Zero;
        LeaseUntil = Instant.Zero;
        Kept = new DurableMemory { Move = Kept.Move is { } move ? move with { Began = clock.Read(world.Agenda.Now) } : null };
        VoterOnTmpfs = null;
        LeaseOnTmpfs = null;
        SetBlock(Gate.Fenced, BlockTerm);
    }
}
