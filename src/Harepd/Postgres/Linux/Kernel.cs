using System.Runtime.InteropServices;

namespace Harepd.Postgres.Linux;

/// <summary>
/// The kernel calls by which PostgreSQL's processes are watched and ended. Synchronous, free of the thread pool. The pidfd calls go through
/// <c>syscall</c> because older C libraries have no wrapper for them; a kernel before 5.3 answers ENOSYS and the callers do without.
/// </summary>
internal static partial class Kernel
{
    public const short PollIn = 1;

    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    public const int InotifyMovedFrom = 0x40;
    public const int InotifyMovedTo = 0x80;
    public const int InotifyCreate = 0x100;
    public const int InotifyDelete = 0x200;
    public const int InotifyOnlyFolder = 0x01000000;

    public const int NonBlockingCloseOnExec = 0x800 | 0x80000;

    private const long SysPidfdSendSignal = 424;
    private const long SysPidfdOpen = 434;

    /// <summary>Waits until one of the descriptors is readable or ended, or the milliseconds are over; -1 waits for ever. Returns how many are, below zero on error.</summary>
    public static unsafe int Poll(Span<PollEntry> entries, int milliseconds)
    {
        fixed (PollEntry* first = entries)
        {
            return PollRaw(first, (nuint)entries.Length, milliseconds);
        }
    }

    /// <summary>A descriptor that becomes readable when the process ends (also while it stays a zombie), or below zero.</summary>
    public static int PidfdOpen(int pid) => (int)Syscall(SysPidfdOpen, pid, 0, 0, 0);

    /// <summary>Signals the very process behind the descriptor, whatever became of its number. Zero when sent.</summary>
    public static int PidfdSendSignal(int pidfd, int signal) => (int)Syscall(SysPidfdSendSignal, pidfd, signal, 0, 0);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    public static partial int InotifyInit(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int InotifyAddWatch(int descriptor, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    public static unsafe partial int GetSockOpt(int descriptor, int level, int option, void* value, int* length);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Syscall(long number, long a, long b, long c, long d);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static unsafe partial int PollRaw(PollEntry* entries, nuint count, int milliseconds);
}

/// <summary>The kernel's <c>struct pollfd</c>. A negative descriptor is ignored by the kernel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry(int descriptor, short events)
{
    public int Descriptor = descriptor;
    public short Events = events;
    public short Returned;

    /// <summary>Something happened on it: data, end, or error.</summary>
    public readonly bool IsReady => Returned != 0;
}
