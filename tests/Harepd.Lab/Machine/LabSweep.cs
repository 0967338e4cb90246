namespace Harepd.Lab.Machine;

/// <summary>
/// Ends the processes of a lab and removes its folder. A process belongs to a lab when it works inside its folder or was started with its mark
/// in the environment: that reaches servers which daemonised and survived their parent, and nothing else.
/// </summary>
internal static class LabSweep
{
    /// <summary>The variable that marks every process of a lab; its value is the lab's folder.</summary>
    public const string Mark = "HAREPD_LAB";

    private const int Rounds = 100;

    public static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Removes labs whose owner is gone: it was killed before it could do so.</summary>
    public static void RemoveAbandoned()
    {
        foreach (var folder in Directory.EnumerateDirectories("/tmp", LabFolder.Prefix + "*"))
        {
            if (IsAbandoned(folder))
            {
                KillProcesses(folder);
                Remove(folder);
            }
        }

        NetworkSpaces.RemoveOrphans();
    }

    /// <summary>Kills what belongs to the lab, again and again until nothing is left (a killed parent may just have forked).</summary>
    public static void KillProcesses(string folder)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var living = ProcessesOf(folder);
            if (living.Count == 0)
            {
                return;
            }

            foreach (var process in living)
            {
                process.Send(Signal.Kill);
            }

            Thread.Sleep(20);
        }
    }

    /// <summary>The living processes of a lab, this process excepted.</summary>
    public static IReadOnlyList<ProcessIdentity> ProcessesOf(string folder)
    {
        var found = new List<ProcessIdentity>();
        foreach (var pid in ProcessIdentity.AllPids())
        {
            if (pid != Environment.ProcessId && ProcessIdentity.Of(pid) is { IsAlive: true } process && Belongs(pid, folder))
            {
                found.Add(process);
            }
        }

        return found;
    }

    /// <summary>Removes a lab's namespaces, its folder, and the one on tmpfs.</summary>
    public static void Remove(string folder)
    {
        NetworkSpaces.Remove(folder);
        Mounts.RemoveBelow(folder);
        RemoveTree(LabFolder.MemoryRootOf(folder));
        RemoveTree(folder);
    }

    private static void RemoveTree(string folder)
    {
        for (var attempt = 0; attempt < 5 && Directory.Exists(folder); attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Thread.Sleep(50);
            }
        }
    }

    private static bool IsAbandoned(string folder)
    {
        try
        {
            var fields = File.ReadAllText(Path.Combine(folder, LabFolder.OwnerFile)).Split(' ', StringSplitOptions.TrimEntries);
            return fields.Length == 3
                && (fields[2] != BootId() || !new ProcessIdentity(int.Parse(fields[0]), long.Parse(fields[1])).IsAlive);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // Just being made, being removed by another run, or another user's.
            return false;
        }
    }

    private static bool Belongs(int pid, string folder)
    {
        try
        {
            var place = new FileInfo($"/proc/{pid}/cwd").LinkTarget ?? "";
            if (place == folder || place.StartsWith(folder + "/", StringComparison.Ordinal))
            {
                return true;
            }

            var environment = File.ReadAllText($"/proc/{pid}/environ");
            return environment.Split('\0').Contains($"{Mark}={folder}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
