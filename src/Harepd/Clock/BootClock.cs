using System.Runtime.InteropServices;
using Harepd.Core.Model;

namespace Harepd.Clock;

/// <summary>
/// The one owner of time in the daemon: CLOCK_BOOTTIME, which goes on during suspend, unlike .NET's own timestamps (R8, ADR 0003).
/// Thread-safe and free of allocation.
/// </summary>
internal static partial class BootClock
{
    private const int ClockBoottime = 7;

    /// <summary>This moment on the boot-time clock. Fails only where the kernel lacks the clock (before Linux 2.6.39).</summary>
    /// <exception cref="PlatformNotSupportedException">The kernel refuses the clock; the daemon must not start.</exception>
    public static Instant Now
    {
        get
        {
            if (ClockGetTime(ClockBoottime, out var time) != 0)
            {
                throw new PlatformNotSupportedException("clock_gettime(CLOCK_BOOTTIME) failed");
            }

            return new Instant(time.Seconds * 1_000_000_000L + time.Nanos);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanos;
    }
}
