using System.Text.Json;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// Keeps <see cref="DurableMemory"/> in the state folder, by the calendar, for a boot-time clock ends with the boot. Replaced whole, by a thread that is there only while there is
/// something to write; a damaged file is set aside, and one that cannot be written is said: neither is ever fatal.
/// </summary>
internal sealed class DurableMemoryFile(string stateDir, ILogger log)
{
    private const int Version = 1;
    private readonly string _path = Path.Combine(stateDir, "node.json");
    private readonly Lock _changing = new();
    private DurableMemory? _waiting;
    private bool _isWriting;
    private bool _hasFailed;

    /// <summary>What an earlier run kept; empty where there is nothing that can be read.</summary>
    public DurableMemory Read()
    {
        try
        {
            var kept = File.Exists(_path) ? JsonSerializer.Deserialize(File.ReadAllBytes(_path), MemoryJson.Default.KeptMemory) : null;
            return kept is { Version: Version } ? kept.ToMemory(BootClock.Now, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()) : new DurableMemory();
        }
        catch (JsonException damage)
        {
            log.LogWarning(new EventId(9037, "NodeMemorySetAside"), "{Path} cannot be read and is set aside: {Reason}", _path, damage.Message);
            SetAside();
            return new DurableMemory();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log.LogWarning(new EventId(9038, "NodeMemoryNotKept"), "{Path}: {Reason}", _path, error.Message);
            return new DurableMemory();
        }
    }

    /// <summary>Takes what is to be kept; does not wait. Of several that wait for the disk the newest is written.</summary>
    public void Keep(DurableMemory memory)
    {
        lock (_changing)
        {
            _waiting = memory;
            if (_isWriting)
            {
                return;
            }

            _isWriting = true;
        }

        new Thread(WriteAll) { IsBackground = true, Name = "node-memory" }.Start();
    }

    private void WriteAll()
    {
        while (Next() is { } memory)
        {
            var kept = KeptMemory.Of(memory, Version, BootClock.Now, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            var result = AtomicFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(kept, MemoryJson.Default.KeptMemory));
            if (!result.IsDone && !_hasFailed)
            {
                log.LogWarning(new EventId(9038, "NodeMemoryNotKept"), "what is good to know after a restart cannot be kept: {Reason}", result.Error);
            }

            _hasFailed = !result.IsDone;
        }
    }

    private DurableMemory? Next()
    {
        lock (_changing)
        {
            var next = _waiting;
            _waiting = null;
            _isWriting = next is not null;
            return next;
        }
    }

    private void SetAside()
    {
        try
        {
            File.Move(_path, _path + ".damaged", overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It stays where it is, and the next write replaces it.
        }
    }
}
