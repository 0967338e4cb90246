using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Tests.Simulation;

/// <summary>One PostgreSQL as the clients and the daemon meet it.</summary>
internal sealed class SimServer
{
    public bool IsRunning { get; set; }

    public bool IsStandby { get; set; }

    public TimelinePoint Timeline { get; set; } = Samples.First;

    /// <summary>Asked for and not done yet.</summary>
    public bool IsPromoting { get; set; }

    public bool WasStoppedCleanly { get; set; }

    public bool IsHung { get; set; }

    public bool HasSlotsFull { get; set; }

    public bool CannotWrite { get; set; }

    public bool IsLagging { get; set; }

    /// <summary>Who streams to it; meaningless on a primary.</summary>
    public SimHost? Upstream { get; set; }

    public long DownSince { get; set; }

    /// <summary>Takes writes from whoever is let in. A hung server counts: its sessions go on when it wakes.</summary>
    public bool TakesWrites => IsRunning && !IsStandby;

    /// <summary>What an honest look at it gives; <paramref name="at"/> is when the look began.</summary>
    public ServerObservation Look(Instant at)
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
            SystemId = isAsked ? Samples.OneSystem : default,
            WriteLsn = new Lsn(IsLagging ? 0x9000_0000UL : 0x1000UL),
            ReplayLsn = new Lsn(0x1000),
            IsStreaming = isAsked && IsStandby,
        };
    }
}
