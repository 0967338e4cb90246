using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Runtime;

/// <summary>
/// Keeps, durably, under which membership this node last voted, so that a set is never changed without its epoch, nor two steps at once (R10).
/// </summary>
internal sealed class MembershipFile(string stateDir)
{
    private readonly string _path = Path.Combine(stateDir, "membership.json");
    private MembershipMemory? _known;

    /// <summary>
    /// Checks the configured membership against the last one and notes it. Returns null when it may be loaded, else what is wrong and the mend.
    /// </summary>
    public string? Admit(MembershipStamp stamp)
    {
        _known = Read();
        if (_known is not { } known || !known.WasLeaseHeld)
        {
            // No lease was ever held under what is noted here, so this node was part of no quorum that another set could miss.
            return Write(new MembershipMemory(stamp.Epoch, stamp.Hash, WasLeaseHeld: false));
        }

        if (stamp.Epoch == known.Epoch)
        {
            return stamp.Hash == known.Hash
                ? null
                : $"the members changed but membership.epoch is still {known.Epoch}; set epoch: {known.Epoch + 1} and list the old members under membership.previous";
        }

        return stamp.Epoch == known.Epoch + 1
            ? Write(new MembershipMemory(stamp.Epoch, stamp.Hash, WasLeaseHeld: false))
            : $"membership.epoch is {stamp.Epoch} but a lease was last seen under {known.Epoch}; only {known.Epoch} or {known.Epoch + 1} may be loaded";
    }

    /// <summary>Notes that a lease was held under the present epoch. Waits for the disk at the first call only; never call it on the loop.</summary>
    public void NoteLease()
    {
        if (_known is { WasLeaseHeld: false } known)
        {
            Write(known with { WasLeaseHeld = true });
        }
    }

    private MembershipMemory? Read()
    {
        try
        {
            return File.Exists(_path) ? JsonSerializer.Deserialize(File.ReadAllBytes(_path), MemoryJson.Default.MembershipMemory) : null;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string? Write(MembershipMemory memory)
    {
        var result = AtomicFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(memory, MemoryJson.Default.MembershipMemory));
        _known = memory;
        return result.Error;
    }
}

/// <summary>The membership last loaded, and whether a lease was seen under it.</summary>
internal sealed record MembershipMemory(long Epoch, ulong Hash, bool WasLeaseHeld);
