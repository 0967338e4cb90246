using System.Text;
using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Files;
using Microsoft.Win32.SafeHandles;

namespace Harepd.Runtime;

/// <summary>
/// The highest timeline of any holder, durable (DESIGN section 4, "Timelines"). Two slots of one block each, written in turn and in place: a write
/// torn by a power cut damages only itself, and fdatasync of a block that is there already does not wait for the file system's journal,
/// which a server that was just promoted keeps busy. A voter's yes waits for this, so it is on the way of every failover.
/// </summary>
internal sealed class TimelineFile : IDisposable
{
    private const string Name = "timeline";
    private const int SlotLength = 4096;
    private const int Slots = 2;
    private readonly SafeFileHandle _file;
    private TimelineMemory? _newest;

    private TimelineFile(SafeFileHandle file)
    {
        _file = file;
        for (var slot = 0; slot < Slots; slot++)
        {
            if (ReadSlot(slot) is { } found && (_newest is null || found.Sequence > _newest.Sequence))
            {
                _newest = found;
            }
        }
    }

    /// <summary>What was written last and is whole; default when nothing was.</summary>
    public DurableTimeline Value => _newest?.ToTimeline() ?? default;

    /// <summary>Opens or makes the file in the state folder; its blocks are allocated and durable afterwards.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor read.</exception>
    public static TimelineFile Open(string stateDir)
    {
        var path = Path.Combine(stateDir, Name);
        if (!File.Exists(path) || new FileInfo(path).Length < Slots * SlotLength)
        {
            var made = AtomicFile.Replace(path, new byte[Slots * SlotLength]);
            if (!made.IsDone)
            {
                throw new IOException(made.Error);
            }
        }

        return new TimelineFile(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite));
    }

    /// <summary>What is noted in a state folder, without opening it for a voter; default when nothing is.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor opened.</exception>
    public static DurableTimeline Read(string stateDir)
    {
        var path = Path.Combine(stateDir, Name);
        if (!File.Exists(path))
        {
            return default;
        }

        using var file = new TimelineFile(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return file.Value;
    }

    /// <summary>Writes a timeline; true once the disk has it. Waits for the disk: never call it on the loop. One writer.</summary>
    public bool TryWrite(DurableTimeline timeline)
    {
        var memory = TimelineMemory.Of(timeline, (_newest?.Sequence ?? 0) + 1);
        var block = new byte[SlotLength];
        Array.Fill(block, (byte)' ');
        JsonSerializer.SerializeToUtf8Bytes(memory, MemoryJson.Default.TimelineMemory).CopyTo(block, 0);
        block[^1] = (byte)'\n';
        try
        {
            RandomAccess.Write(_file, block, memory.Sequence % Slots * SlotLength);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        if (Posix.FdataSync((int)_file.DangerousGetHandle()) != 0)
        {
            return false;
        }

        _newest = memory;
        return true;
    }

    public void Dispose() => _file.Dispose();

    /// <summary>A slot that is empty, torn or not ours counts as none.</summary>
    private TimelineMemory? ReadSlot(int slot)
    {
        var block = new byte[SlotLength];
        try
        {
            var length = RandomAccess.Read(_file, block, slot * (long)SlotLength);
            var text = Encoding.UTF8.GetString(block, 0, length).TrimEnd(' ', '\n', '\0');
            var memory = text.Length == 0 ? null : JsonSerializer.Deserialize(text, MemoryJson.Default.TimelineMemory);
            return memory is { IsWhole: true } ? memory : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
