using System.Diagnostics;

namespace Harepd.Lab.Machine;

/// <summary>The network namespaces of labs, by name: <c>LAB-FOLDER.MACHINE</c>, so that whoever removes a lab's folder finds them too.</summary>
internal static class NetworkSpaces
{
    private const string Place = "/run/netns";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly Lazy<string?> Refusal = new(Try);

    /// <summary>Null where namespaces and their firewall can be made; otherwise why not.</summary>
    public static string? WhyNot => Refusal.Value;

    public static string PathOf(string space) => Path.Combine(Place, space);

    /// <summary>The name of a lab's namespace.</summary>
    /// <param name="root">The lab's folder.</param>
    public static string NameOf(string root, string machine) => $"{Path.GetFileName(root)}.{machine}";

    /// <summary>Removes every namespace of a lab; its processes are gone by then.</summary>
    /// <param name="root">The lab's folder.</param>
    public static void Remove(string root) => RemoveAll(name => name.StartsWith(NameOf(root, ""), StringComparison.Ordinal));

    /// <summary>Removes namespaces whose lab has no folder any more.</summary>
    public static void RemoveOrphans() => RemoveAll(name =>
        name.StartsWith(LabFolder.Prefix, StringComparison.Ordinal) && !Directory.Exists(Path.Combine("/tmp", name.Split('.')[0])));

    private static void RemoveAll(Func<string, bool> which)
    {
        if (Directory.Exists(Place))
        {
            foreach (var name in Directory.EnumerateFiles(Place).Select(path => Path.GetFileName(path)).Where(which))
            {
                Run("ip", "netns", "delete", name);
            }
        }
    }

    // Each thing that a network is made of, on a namespace that is removed again.
    private static string? Try()
    {
        var name = NameOf("harepd-probe", $"{Environment.ProcessId}");
        var failure = Run("ip", "netns", "add", name)
            ?? Run("ip", "-n", name, "link", "add", "br0", "type", "bridge")
            ?? Run("ip", "-n", name, "link", "add", "left", "type", "veth", "peer", "name", "right")
            ?? Run("nsenter", $"--net={PathOf(name)}", "nft", "add table bridge cuts; add chain bridge cuts forward { type filter hook forward priority 0; }");
        if (File.Exists(PathOf(name)))
        {
            Run("ip", "netns", "delete", name);
        }

        return failure;
    }

    // What went wrong; null when nothing did.
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (var argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }

            using var process = Process.Start(start);
            var error = process?.StandardError.ReadToEndAsync();
            if (process is null || !process.WaitForExit(Limit))
            {
                return $"{program} did not end";
            }

            return process.ExitCode == 0 ? null : $"{program} {string.Join(' ', arguments)}: {error?.Result.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return $"{program}: {e.Message}";
        }
    }
}
