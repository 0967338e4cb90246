using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Tests.Simulation;

/// <summary>One PostgreSQL as the clients and the daemon meet it.</summary>
internal sealed class SimServer
{
    public bool IsRunning { get; set; }

    public bool IsStandby { get; set; }

    public TimelinePoint Timeline { get; set; } = Samples.First;

    /// <summary>Asked for and not done yet; goes on whatever becomes of the daemon.</summary>
    public bool IsPromoting { get; set; }

    public bool WasStoppedCleanly { get; set; }

    public bool IsHung { get; set; }

    public bool HasSlotsFull { get; set; }

    public bool CannotWrite { get; set; }

    public bool IsLagging { get; set; }

    /// <summary>Who streams to it; meaningless on a primary.</summary>
    public SimHost? Upstream { get; set; }

    public long DownSince { get; set; }

    public long UpSince { get; set; }

    /// <summary>How far it wrote or received, in bytes; only where harepd promotes.</summary>
    public long Wal { get; set; }

    /// <summary>When that changed last.</summary>
    public long WalChangedAt { get; set; }

    /// <summary>Where its timeline left the one before, which <see cref="Parent"/> names.</summary>
    public long SwitchWal { get; set; }

    public TimelinePoint Parent { get; set; }

    /// <summary>A WAL receiver runs, whether or not anything comes.</summary>
    public bool IsReceiving { get; set; }

    /// <summary>When its WAL receiver got its last message.</summary>
    public long LastMessageAt { get; set; }

    /// <summary>When the run of the server began that was told to promote itself last; the room writes it down first.</summary>
    public long? PromotedRun { get; set; }

    /// <summary>When it was told to promote itself, by harepd.</summary>
    public long AskedAt { get; set; }

    /// <summary>An operator accepted what its promotion loses.</summary>
    public bool MayLose { get; set; }

    /// <summary>What it waits for before it acknowledges, as any session sees it.</summary>
    public Synchrony WaitsFor { get; set; } = Synchrony.None;

    /// <summary>What it waited for before; counts as well until <see cref="WaitsTakenAt"/>.</summary>
    public Synchrony WaitedFor { get; set; } = Synchrony.None;

    public long WaitsTakenAt { get; set; }

    /// <summary>Takes writes from whoever is let in. A hung server counts: its sessions go on when it wakes.</summary>
    public bool TakesWrites => IsRunning && !IsStandby;

    /// <summary>What an honest look at it gives; <paramref name="at"/> is when the look began.</summary>
    public ServerObservation Look(Instant at, long? time = null)
    {
        var health = !IsRunning
            ? WasStoppedCleanly ? ServerHealth.StoppedCleanly : ServerHealth.Down
            : IsHung ? ServerHealth.Hung
            : HasSlotsFull ? ServerHealth.SlotsFull
            : CannotWrite && !IsStandby ? ServerHealth.CannotWrite
            : ServerHealth.Running;
        var isAsked = health is ServerHealth.Running or ServerHealth.CannotWrite;
        return new ServerObservation
        {
            At = at,
            Health = health,
            InRecovery = isAsked ? IsStandby : null,
            WasAskedToPromote = isAsked && IsPromoting,
            Timeline = isAsked ? Timeline : default,
            SystemId = isAsked || !IsRunning ? Samples.OneSystem : default,
            WriteLsn = new Lsn(IsLagging ? 0x9000_0000UL : 0x1000UL),
            ReplayLsn = new Lsn(0x1000),
            IsStreaming = isAsked && IsStandby,
            OnDisk = IsRunning ? null : new DiskState(Timeline, WasStoppedCleanly ? new Lsn(0x1000UL + (ulong)Wal) : default, IsStandby),
        } is var seen && time is { } managed && isAsked ? Managed(seen, managed) : seen;
    }

    /// <summary>Half of the requests are not noticed by their file, and none is believed for longer than a few seconds.</summary>
    private ServerObservation Managed(ServerObservation seen, long time) => seen with
    {
        WasAskedToPromote = seen.WasAskedToPromote && AskedAt / Span.Millisecond % 2 == 0 && time - AskedAt < 5 * Span.Second,
        WriteLsn = new Lsn(0x1000UL + (ulong)Wal),
        ReplayLsn = new Lsn(0x1000UL + (ulong)Wal),
        IsStreaming = IsStandby && IsReceiving,
        UpstreamHost = IsStandby && IsReceiving ? Upstream?.Name ?? "" : "",
        UpstreamSilence = IsStandby && IsReceiving ? TimeSpan.FromTicks((time - LastMessageAt) / 100) : null,
    };
}
