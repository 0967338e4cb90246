using System.Runtime.InteropServices;

namespace Harepd.Files;

/// <summary>
/// What the kernel says of a file at one moment. Two equal values mean the same, unchanged content for every writer that replaces
/// by rename (a new inode) or writes through the file system (a new change time).
/// </summary>
/// <param name="Device">Device number, major in the upper half.</param>
/// <param name="Inode">Inode number.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ChangedNanos">Change time (ctime), nanoseconds of the wall clock; for equality only.</param>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="User">Numeric owner.</param>
/// <param name="Group">Numeric group.</param>
internal readonly record struct FileFacts(ulong Device, ulong Inode, ulong Size, long ChangedNanos, uint Mode, uint User, uint Group)
{
    private const int FollowFromHere = -100;
    private const uint BasicStats = 0x7ff;

    /// <summary>The permission bits alone.</summary>
    public uint Permissions => Mode & 0xFFF;

    /// <summary>A file, and no folder, device or pipe.</summary>
    public bool IsRegular => (Mode & 0xF000) == 0x8000;

    /// <summary>Facts of the file behind <paramref name="path"/>, links followed; null when it is not there or may not be seen.</summary>
    public static FileFacts? Of(string path)
    {
        if (Posix.Statx(FollowFromHere, path, 0, BasicStats, out var stat) != 0)
        {
            return null;
        }

        return new FileFacts(
            ((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor,
            stat.Inode,
            stat.Size,
            stat.Changed.Seconds * 1_000_000_000L + stat.Changed.Nanos,
            stat.Mode,
            stat.User,
            stat.Group);
    }
}

/// <summary>The kernel's statx record; its layout is the same on every architecture (man 2 statx).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatxBuffer
{
    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint Links;
    public uint User;
    public uint Group;
    public ushort Mode;
    public ushort Spare0;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public StatxTime Accessed;
    public StatxTime Born;
    public StatxTime Changed;
    public StatxTime Modified;
    public uint SpecialMajor;
    public uint SpecialMinor;
    public uint DeviceMajor;
    public uint DeviceMinor;
    public StatxTail Tail;
}

/// <summary>A moment in a statx record.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatxTime
{
    public long Seconds;
    public uint Nanos;
    public int Reserved;
}

/// <summary>The part of the statx record that is of no use here; it must be there because the kernel fills 256 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 112)]
internal struct StatxTail;
