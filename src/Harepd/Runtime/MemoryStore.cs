using System.Text.Json;
using Harepd.Clock;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Files;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// The resume files in the run folder (tmpfs) and the timeline in the state folder (disk), with the lock that keeps a second process
/// from voting for the same member (R7). A damaged file is set aside and counts as none: the voter then abstains.
/// </summary>
internal sealed class MemoryStore : IDisposable
{
    private readonly string _runDir;
    private readonly string _stateDir;
    private readonly MemoryScope _scope;
    private readonly ILogger _log;
    private readonly List<FileLock> _locks = [];
    private TimelineFile? _timeline;
    private VoterState? _savedVoter;
    private LeaseState? _savedLease;
    private bool _hasFailed;

    private MemoryStore(string runDir, string stateDir, MemoryScope scope, ILogger log)
    {
        _runDir = runDir;
        _stateDir = stateDir;
        _scope = scope;
        _log = log;
    }

    /// <summary>Opens the store and takes the locks of the halves that this process runs; null with the reason when another process has one.</summary>
    public static MemoryStore? TryOpen(string runDir, string stateDir, MemoryScope scope, bool hasVoter, bool hasCandidate, ILogger log, out string? error)
    {
        error = null;
        var store = new MemoryStore(runDir, stateDir, scope, log);
        try
        {
            Directory.CreateDirectory(runDir);
            Directory.CreateDirectory(stateDir);
            foreach (var half in new[] { hasVoter ? "voter" : null, hasCandidate ? "candidate" : null }.OfType<string>())
            {
                var path = Path.Combine(runDir, half + ".lock");
                File.AppendAllText(path, "");
                var held = FileLock.TryTake(path, BootClock.Now + TimeSpan.FromMilliseconds(500), out error);
                if (held is null)
                {
                    error = $"another harepd process runs the {half} of this node: {error}";
                    store.Dispose();
                    return null;
                }

                store._locks.Add(held);
            }

            store._timeline = hasVoter ? TimelineFile.Open(stateDir) : null;
            return store;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            error = failure.Message;
            store.Dispose();
            return null;
        }
    }

    /// <summary>This boot's id, from the kernel.</summary>
    public static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>The voter's memory of this boot, or null.</summary>
    public VoterState? ReadVoter() =>
        Read(VoterPath, MemoryJson.Default.VoterMemory) is { } memory && memory.Scope == _scope ? memory.ToState() : null;

    /// <summary>The candidate's memory of this boot while its lease still runs, or null.</summary>
    public LeaseState? ReadCandidate(MemberId self, Instant now) =>
        Read(CandidatePath, MemoryJson.Default.CandidateMemory) is { } memory && memory.Scope == _scope ? memory.ToState(self, now) : null;

    /// <summary>The durable timeline; default when there is none.</summary>
    public DurableTimeline ReadTimeline() => _timeline?.Value ?? default;

    /// <summary>Whether an operator said that no timeline is to be remembered here (<see cref="TimelineTrust"/>); his word counts once.</summary>
    public bool TakeTimelineTrust() => _timeline is not null && TimelineTrust.Take(_stateDir);

    /// <summary>Keeps what changed on tmpfs. False when it could not: then nothing of this step may leave (R7).</summary>
    public bool Save(Effect.SaveMemory save)
    {
        var isKept = true;
        if (save.Voter is { } voter && voter != _savedVoter)
        {
            isKept = Write(VoterPath, JsonSerializer.SerializeToUtf8Bytes(VoterMemory.Of(voter, _scope), MemoryJson.Default.VoterMemory), Durability.VisibleOnly);
            _savedVoter = isKept ? voter : null;
        }

        if (save.Lease is { } lease && !ReferenceEquals(lease, _savedLease))
        {
            var isLeaseKept = Write(CandidatePath, JsonSerializer.SerializeToUtf8Bytes(CandidateMemory.Of(lease, _scope), MemoryJson.Default.CandidateMemory), Durability.VisibleOnly);
            _savedLease = isLeaseKept ? lease : null;
            isKept &= isLeaseKept;
        }

        return isKept;
    }

    /// <summary>Makes the timeline durable. Waits for the disk; never call it on the loop. False where the disk refuses, or in a process without a voter.</summary>
    public bool SaveTimeline(DurableTimeline timeline) => _timeline?.TryWrite(timeline) == true;

    public void Dispose()
    {
        foreach (var held in _locks)
        {
            held.Dispose();
        }

        _locks.Clear();
        _timeline?.Dispose();
    }

    private string VoterPath => Path.Combine(_runDir, "voter.json");

    private string CandidatePath => Path.Combine(_runDir, "candidate.json");

    private T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), type) : null;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            _log.LogWarning("{Path} cannot be read and is set aside: {Reason}", path, error.Message);
            SetAside(path);
            return null;
        }
    }

    private static void SetAside(string path)
    {
        try
        {
            File.Move(path, path + ".damaged", overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It stays where it is, and the next write replaces it.
        }
    }

    private bool Write(string path, byte[] bytes, Durability durability)
    {
        var result = AtomicFile.Replace(path, bytes, durability);
        if (!result.IsDone && !_hasFailed)
        {
            _log.LogError("the memory of this run cannot be kept, votes are held back: {Reason}", result.Error);
        }

        _hasFailed = !result.IsDone;
        return result.IsDone;
    }
}
