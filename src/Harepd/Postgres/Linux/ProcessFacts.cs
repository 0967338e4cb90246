using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Linux;

/// <summary>
/// One process at one moment, from /proc/PID/stat, which never waits for the process. Number and start time together are its identity: a
/// number alone is given again.
/// </summary>
/// <param name="Pid">Its number.</param>
/// <param name="ParentPid">Its parent's number now; orphans have another one than they were born with.</param>
/// <param name="State">The kernel's letter: R, S, D, T (stopped), Z (zombie), …</param>
/// <param name="StartTicks">Start in hundredths of a second since boot.</param>
internal readonly record struct ProcessFacts(int Pid, int ParentPid, char State, long StartTicks)
{
    /// <summary>Ended; the entry waits for its parent to take note.</summary>
    public bool IsGone => State is 'Z' or 'X' or 'x';

    /// <summary>Stopped by a signal or a debugger: it lives and does nothing.</summary>
    public bool IsStopped => State is 'T' or 't';

    /// <summary>When it began, on the boot-time clock, to the hundredth of a second.</summary>
    public Instant StartedAt => new(StartTicks * 10_000_000L);

    /// <summary>True when both are the same process.</summary>
    public bool IsSameAs(ProcessFacts other) => Pid == other.Pid && StartTicks == other.StartTicks;

    /// <summary>Null when there is no such process.</summary>
    public static ProcessFacts? Of(int pid)
    {
        Span<byte> buffer = stackalloc byte[1024];
        var length = ReadSmall($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat", buffer);

        // The name stands in parentheses and may hold anything; the fields of interest follow the last one.
        var close = length <= 0 ? -1 : buffer[..length].LastIndexOf((byte)')');
        if (close < 0)
        {
            return null;
        }

        var rest = buffer[(close + 2)..length];
        var state = (char)rest[0];
        var parent = 0L;
        for (var field = 3; field <= 22 && rest.Length > 0; field++)
        {
            var space = rest.IndexOf((byte)' ');
            var value = space < 0 ? rest : rest[..space];
            _ = Utf8Parser.TryParse(value, out long number, out _);
            if (field == 4)
            {
                parent = number;
            }
            else if (field == 22)
            {
                return new ProcessFacts(pid, (int)parent, state, number);
            }

            rest = space < 0 ? [] : rest[(space + 1)..];
        }

        return null;
    }

    /// <summary>
    /// The process title as PostgreSQL sets it. Reading it takes a lock of the process's memory and can wait for ever on a process that
    /// hangs in a disk: never call it on a thread that has to meet a deadline.
    /// </summary>
    public static string TitleOf(int pid)
    {
        Span<byte> buffer = stackalloc byte[2048];
        var length = ReadSmall($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/cmdline", buffer);
        return length <= 0 ? "" : Encoding.UTF8.GetString(buffer[..length]).TrimEnd('\0', ' ').Replace('\0', ' ');
    }

    /// <summary>The children of a process with one thread, as the kernel lists them; null where it does not (no CONFIG_PROC_CHILDREN).</summary>
    public static IReadOnlyList<int>? ChildrenOf(int pid)
    {
        var number = pid.ToString(CultureInfo.InvariantCulture);
        try
        {
            return [.. File.ReadAllText($"/proc/{number}/task/{number}/children")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// True when a process has a socket that another one has not: a child of a postmaster then serves a connection; its own processes have none (the
    /// statistics collector before PostgreSQL 15 excepted). True also where that may not be seen. Waits for neither process.
    /// </summary>
    public static bool HasSocketBeside(int pid, int other)
    {
        try
        {
            return SocketsOf(pid).Except(SocketsOf(other)).Any();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Every process of the machine that may be seen.</summary>
    public static IReadOnlyList<ProcessFacts> All()
    {
        var all = new List<ProcessFacts>();
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Of(pid) is { } facts)
            {
                all.Add(facts);
            }
        }

        return all;
    }

    /// <summary>True when the process runs a PostgreSQL server binary in this folder (a postmaster enters its data folder and its children stay in it).</summary>
    public static bool IsServerProcess(int pid, FileFacts dataDirectory)
    {
        var root = "/proc/" + pid.ToString(CultureInfo.InvariantCulture);
        return FileFacts.Of(root + "/cwd") is { } folder && folder.Inode == dataDirectory.Inode && folder.Device == dataDirectory.Device
            && LinkTarget(root + "/exe") is { } binary && Path.GetFileName(binary.AsSpan()).StartsWith("postgres", StringComparison.Ordinal);
    }

    /// <summary>Where a link of /proc points, null when it may not be read.</summary>
    public static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IEnumerable<string> SocketsOf(int pid) =>
        Directory.EnumerateFileSystemEntries($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/fd")
            .Select(LinkTarget)
            .Where(target => target?.StartsWith("socket:", StringComparison.Ordinal) == true)!;

    private static int ReadSmall(string path, Span<byte> into)
    {
        var descriptor = Posix.Open(path, Posix.ReadOnly | Posix.CloseOnExec, 0);
        if (descriptor < 0)
        {
            return -1;
        }

        try
        {
            return (int)Posix.Read(descriptor, into, (nuint)into.Length);
        }
        finally
        {
            _ = Posix.Close(descriptor);
        }
    }
}
