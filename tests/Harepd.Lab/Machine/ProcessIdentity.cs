using System.Globalization;

namespace Harepd.Lab.Machine;

/// <summary>
/// One run of one process: its number together with its start time, because numbers are used again. Every signal goes through here,
/// so that the lab cannot hit a stranger.
/// </summary>
/// <param name="StartTicks">Field 22 of <c>/proc/PID/stat</c>: clock ticks since boot.</param>
public readonly record struct ProcessIdentity(int Pid, long StartTicks)
{
    /// <summary>The process that has this number now; null when there is none.</summary>
    public static ProcessIdentity? Of(int pid) => ReadStat(pid) is { } stat ? new ProcessIdentity(pid, stat.StartTicks) : null;

    /// <summary>True while the very same process runs; a zombie counts as gone.</summary>
    public bool IsAlive => ReadStat(Pid) is { } stat && stat.StartTicks == StartTicks && stat.State is not ('Z' or 'X');

    /// <summary>True when the process is stopped by a signal.</summary>
    public bool IsStopped => ReadStat(Pid) is { State: 'T' } stat && stat.StartTicks == StartTicks;

    /// <summary>Its niceness (field 19 of <c>/proc/PID/stat</c>); null when it is gone.</summary>
    public int? Nice => ReadStat(Pid) is { } stat && stat.StartTicks == StartTicks ? stat.Nice : null;

    /// <summary>Sends a signal to this very process; false when it is gone.</summary>
    public bool Send(Signal signal) => IsAlive && Signals.Send(Pid, signal);

    /// <summary>The live children of this process, such as the backends of a postmaster.</summary>
    public IReadOnlyList<ProcessIdentity> Children()
    {
        var children = new List<ProcessIdentity>();
        foreach (var pid in AllPids())
        {
            if (ReadStat(pid) is { } stat && stat.Parent == Pid)
            {
                children.Add(new ProcessIdentity(pid, stat.StartTicks));
            }
        }

        return children;
    }

    internal static IEnumerable<int> AllPids()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                yield return pid;
            }
        }
    }

    private static (char State, int Parent, int Nice, long StartTicks)? ReadStat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            // The command name may hold blanks and brackets; what follows its last bracket does not.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture), int.Parse(fields[16], CultureInfo.InvariantCulture), long.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
