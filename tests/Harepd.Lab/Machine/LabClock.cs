using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Lab.Machine;

/// <summary>The lab's clock: the boot-time clock by which the daemon decides, so that both speak of the same moments.</summary>
public static class LabClock
{
    public static Instant Now => BootClock.Now;

    /// <summary>The boot-time moment of a wall-clock time, as server logs print it. Off by what the wall clock was stepped since.</summary>
    public static Instant FromUtc(DateTimeOffset time) => Now - (TimeProvider.System.GetUtcNow() - time);
}
