using System.Buffers.Binary;
using System.Text;
using Harepd.Files;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres.Watch;

/// <summary>
/// The kernel's word on files that come and go in the data folder itself. A promotion shows here before the server is writable:
/// <c>promote</c> appears with the request, <c>standby.signal</c> goes at the end of recovery.
/// </summary>
internal sealed class FolderEvents : IDisposable
{
    private const int HeadSize = 16;
    private const uint Overflowed = 0x4000;
    private const uint Ignored = 0x8000;
    private readonly byte[] _buffer = new byte[4096];

    private FolderEvents(int descriptor, string folder)
    {
        Descriptor = descriptor;
        Folder = folder;
    }

    /// <summary>For poll.</summary>
    public int Descriptor { get; private set; }

    public string Folder { get; }

    /// <summary>Null where the kernel refuses (no such folder, no right, no watch left): the watch goes on by its rhythm alone.</summary>
    public static FolderEvents? Watch(string folder)
    {
        var descriptor = Kernel.InotifyInit(Kernel.NonBlockingCloseOnExec);
        const uint mask = Kernel.InotifyCreate | Kernel.InotifyDelete | Kernel.InotifyMovedFrom | Kernel.InotifyMovedTo | Kernel.InotifyOnlyFolder;
        if (descriptor >= 0 && Kernel.InotifyAddWatch(descriptor, folder, mask) >= 0)
        {
            return new FolderEvents(descriptor, folder);
        }

        if (descriptor >= 0)
        {
            _ = Posix.Close(descriptor);
        }

        return null;
    }

    /// <summary>Takes what came so far, at most one buffer; poll tells when there is more.</summary>
    public FolderChange Drain()
    {
        var change = FolderChange.None;
        var length = (int)Posix.Read(Descriptor, _buffer, (nuint)_buffer.Length);
        for (var at = 0; at + HeadSize <= length;)
        {
            var mask = BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(at + 4));
            var nameLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(at + 12));
            var name = Encoding.UTF8.GetString(_buffer, at + HeadSize, nameLength).TrimEnd('\0');
            change |= (mask & Overflowed) != 0 ? FolderChange.Recovery | FolderChange.Postmaster : Meaning(name, mask);
            change |= (mask & Ignored) != 0 ? FolderChange.FolderGone : FolderChange.None;
            at += HeadSize + nameLength;
        }

        return change;
    }

    public void Dispose()
    {
        if (Descriptor >= 0)
        {
            _ = Posix.Close(Descriptor);
            Descriptor = -1;
        }
    }

    private static FolderChange Meaning(string name, uint mask) => name switch
    {
        "promote" when (mask & (Kernel.InotifyCreate | Kernel.InotifyMovedTo)) != 0 => FolderChange.Recovery | FolderChange.Promotion,
        "standby.signal" or "recovery.signal" or "promote" => FolderChange.Recovery,
        "postmaster.pid" => FolderChange.Postmaster,
        _ => FolderChange.None,
    };
}

/// <summary>What happened in the data folder.</summary>
[Flags]
internal enum FolderChange
{
    None = 0,

    /// <summary>A signal file of recovery or promotion came or went.</summary>
    Recovery = 1,

    /// <summary><c>postmaster.pid</c> came or went.</summary>
    Postmaster = 2,

    /// <summary>The folder itself is gone; another may stand in its place.</summary>
    FolderGone = 4,

    /// <summary>A promotion was asked for: <c>promote</c> came (<c>pg_promote()</c> and <c>pg_ctl promote</c> both make it before they signal the postmaster).</summary>
    Promotion = 8,
}
