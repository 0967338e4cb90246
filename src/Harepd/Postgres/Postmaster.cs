using System.Globalization;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres;

/// <summary>
/// The running postmaster of one data folder, held so that no signal ever reaches another process: by a pidfd where the kernel has them, else by number and start
/// time. Found through postmaster.pid and believed only when the process really runs in that folder.
/// </summary>
internal sealed class Postmaster : IDisposable
{
    public const string PidFile = "postmaster.pid";
    private readonly ProcessFacts _facts;

    private Postmaster(ProcessFacts facts, int pidfd, string dataDirectory)
    {
        _facts = facts;
        Pidfd = pidfd;
        DataDirectory = dataDirectory;
    }

    public int Pid => _facts.Pid;

    /// <summary>The process as it was found; tells it from a later one of the same number.</summary>
    public ProcessFacts Process => _facts;

    /// <summary>Start time in kernel ticks; with <see cref="Pid"/> the identity of this run.</summary>
    public long StartTicks => _facts.StartTicks;

    /// <summary>When it began, to the hundredth of a second.</summary>
    public Instant StartedAt => _facts.StartedAt;

    /// <summary>For poll: readable once the process has ended, a zombie included; below zero where the kernel has no pidfd.</summary>
    public int Pidfd { get; private set; }

    public string DataDirectory { get; }

    /// <summary>Its state now; null when it is gone or a zombie.</summary>
    public ProcessFacts? Current => ProcessFacts.Of(Pid) is { IsGone: false } now && now.IsSameAs(_facts) ? now : null;

    public bool IsAlive => Current is not null;

    /// <summary>The postmaster that postmaster.pid of a data folder names; null with the reason when that is no running postmaster of the folder.</summary>
    public static Postmaster? OfFolder(string dataDirectory, out string reason)
    {
        reason = "there is no postmaster.pid";
        return ReadPidFile(dataDirectory) is { } pid ? OfProcess(pid, dataDirectory, isListener: false, out reason) : null;
    }

    /// <summary>The process that postmaster.pid names has ended, and its parent has not asked how.</summary>
    public static bool IsUnreaped(string dataDirectory) => ReadPidFile(dataDirectory) is { } pid && ProcessFacts.Of(pid) is { IsGone: true };

    /// <summary>
    /// The process as postmaster of the folder. A process that listens on the server's socket is the postmaster by the kernel's word, also where its folder may not be seen.
    /// </summary>
    public static Postmaster? OfProcess(int pid, string dataDirectory, bool isListener, out string reason)
    {
        // The descriptor is opened first, so that what is verified afterwards is the process it stands for.
        var pidfd = Kernel.PidfdOpen(pid);
        var root = "/proc/" + pid.ToString(CultureInfo.InvariantCulture);
        var folder = FileFacts.Of(dataDirectory);
        var standsIn = FileFacts.Of(root + "/cwd");
        var isHere = folder is { } wanted && standsIn is { } seen && (wanted.Device, wanted.Inode) == (seen.Device, seen.Inode);
        if (ProcessFacts.Of(pid) is { IsGone: false } facts && (isHere ? IsPostmasterIn(facts, folder!.Value) : isListener && standsIn is null))
        {
            reason = "";
            return new Postmaster(facts, pidfd, dataDirectory);
        }

        if (pidfd >= 0)
        {
            _ = Posix.Close(pidfd);
        }

        reason = isListener
            ? $"the server on the socket runs in {ProcessFacts.LinkTarget(root + "/cwd")}, not in {dataDirectory}"
            : $"process {root} of postmaster.pid is not a running postmaster of {dataDirectory}";
        return null;
    }

    /// <summary>Sends a signal to this very process; false when it is gone or may not be signalled.</summary>
    public bool Signal(int signal)
    {
        if (Pidfd >= 0)
        {
            return Kernel.PidfdSendSignal(Pidfd, signal) == 0;
        }

        return IsAlive && Kernel.Kill(Pid, signal) == 0;
    }

    /// <summary>Waits until the process has ended or the time is over; true when it has.</summary>
    public bool WaitEnd(TimeSpan atMost)
    {
        if (Pidfd >= 0 && atMost > TimeSpan.Zero)
        {
            _ = Kernel.Poll([new PollEntry(Pidfd, Kernel.PollIn)], (int)Math.Ceiling(atMost.TotalMilliseconds));
        }
        else
        {
            for (var waited = 0; IsAlive && waited < atMost.TotalMilliseconds; waited++)
            {
                Thread.Sleep(1);
            }
        }

        return !IsAlive;
    }

    /// <summary>
    /// Told to stop, by its own word in postmaster.pid (line 8, PostgreSQL 10 and later), which it writes before anything else and in one go with refusing new sessions.
    /// After a fast shutdown was asked for this means that nobody comes in any more. False when the file cannot be read.
    /// </summary>
    public bool IsStopping
    {
        get
        {
            try
            {
                return File.ReadLines(Path.Combine(DataDirectory, PidFile)).Skip(7).FirstOrDefault()?.Trim() == "stopping";
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    public bool IsSameRunAs(Postmaster? other) => other is not null && Pid == other.Pid && StartTicks == other.StartTicks;

    public void Dispose()
    {
        if (Pidfd >= 0)
        {
            _ = Posix.Close(Pidfd);
            Pidfd = -1;
        }
    }

    private static int? ReadPidFile(string dataDirectory)
    {
        try
        {
            using var reader = new StreamReader(Path.Combine(dataDirectory, PidFile));

            // A single-user server writes its number with a minus: it takes no connections and is no postmaster.
            return int.TryParse(reader.ReadLine(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 1 ? pid : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A stale number may have been given to a child of a newer postmaster of the same folder: the parent tells them apart.
    private static bool IsPostmasterIn(ProcessFacts facts, FileFacts folder) =>
        ProcessFacts.IsServerProcess(facts.Pid, folder) && !ProcessFacts.IsServerProcess(facts.ParentPid, folder);
}
