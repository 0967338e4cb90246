using System.Globalization;
using System.Runtime.InteropServices;
using Harepd.Clock;

namespace Harepd.Cli.Check;

/// <summary>Is the boot-time clock there, and does it run at a rate that the lease allows for (R8)?</summary>
internal static partial class ClockDoor
{
    private const string Name = "clock";
    private const int TimeError = 5;

    public static DoorAnswer Try(int driftPpm)
    {
        try
        {
            _ = BootClock.Now;
        }
        catch (PlatformNotSupportedException e)
        {
            return DoorAnswer.Shut(Name, e.Message);
        }

        // A query (modes 0) needs no right. The kernel's frequency correction is in units of 2^-16 ppm, adjtimex(2).
        var state = AdjTimeX(out var timex);
        if (state < 0)
        {
            return DoorAnswer.Noted(Name, "boot time runs; the kernel does not tell its rate (adjtimex is not allowed here)");
        }

        var ppm = timex.Frequency / 65536.0;
        var rate = string.Create(CultureInfo.InvariantCulture, $"boot time runs, corrected by {ppm:+0.0;-0.0;0.0} ppm");
        if (Math.Abs(ppm) > driftPpm)
        {
            return DoorAnswer.Shut(Name, $"{rate}, more than lease.driftPpm {driftPpm}: mend the host's time service, or raise lease.driftPpm on all members");
        }

        return state == TimeError
            ? DoorAnswer.Noted(Name, $"{rate}; the wall clock is not synchronised, which the lease does not need and the logs do")
            : DoorAnswer.Open(Name, $"{rate}; the wall clock is synchronised");
    }

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static partial int AdjTimeX(out TimeX timex);

    // struct timex of 64-bit Linux; only the frequency is of interest, but the kernel fills all 208 bytes.
    [StructLayout(LayoutKind.Explicit, Size = 208)]
    private struct TimeX
    {
        [FieldOffset(0)]
        public uint Modes;

        [FieldOffset(16)]
        public long Frequency;
    }
}
