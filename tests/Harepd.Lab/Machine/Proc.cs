using System.Diagnostics;

namespace Harepd.Lab.Machine;

/// <summary>What to start: a program with its arguments, as the servers' user, inside the lab's folder.</summary>
public sealed record ProcSpec(string Name, string Program, params string[] Arguments)
{
    /// <summary>Added to the environment; PG* and DOTNET_* settings of the caller's shell are not handed on otherwise.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>True: as whoever runs the lab (root on CI) instead of the servers' user.</summary>
    public bool AsCaller { get; init; }

    /// <summary>What comes before the program, run as whoever runs the lab: it must end in the program (<c>exec</c>).</summary>
    public IReadOnlyList<string> Wrapper { get; init; } = [];

    /// <summary>The machine of the lab's network that it runs on; null, and without a network: on none.</summary>
    public string? Machine { get; init; }
}

/// <summary>The end of a command that ran to its end.</summary>
public sealed record CommandResult(int ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;
}

/// <summary>
/// A child process of the lab, in a session of its own so that a terminal's Ctrl-C reaches the lab alone. Its output goes to a file
/// in the lab (a pipe that nobody reads would stop it); signals go to this very process or nowhere.
/// </summary>
public sealed class Proc : IAsyncDisposable
{
    private const int OutputLimit = 64 << 10;

    private readonly Process process;
    private readonly string log;
    private readonly long logStart;

    private Proc(Process process, ProcessIdentity identity, string name, string log, long logStart)
    {
        this.process = process;
        this.log = log;
        this.logStart = logStart;
        Identity = identity;
        Name = name;
    }

    public string Name { get; }

    public ProcessIdentity Identity { get; }

    public bool IsAlive => Identity.IsAlive;

    /// <summary>Null while it runs.</summary>
    public int? ExitCode => process.HasExited ? process.ExitCode : null;

    /// <summary>The end (64 kB) of what this run wrote to its standard output and error.</summary>
    public string Output => Tail(log, logStart);

    /// <summary>Starts a process. It is ended with the lab at the latest.</summary>
    /// <exception cref="LabException">The program is not there.</exception>
    public static Proc Start(LabFolder lab, ProcSpec spec)
    {
        var logFile = Path.Combine(lab.Root, spec.Name + ".log");
        var logEnd = File.Exists(logFile) ? new FileInfo(logFile).Length : 0;
        var start = new ProcessStartInfo("/usr/bin/setsid") { WorkingDirectory = lab.Root, UseShellExecute = false };
        // A shell opens the log as the caller and then becomes the program: the number of the process stays the same all along.
        string[] wrapper = ["sh", "-c", "exec \"$@\" >>\"$HAREPD_LAB_LOG\" 2>&1 </dev/null", "sh"];
        string[] user = spec.AsCaller || LabFolder.ServerUser is not { } name
            ? []
            : ["setpriv", $"--reuid={name}", $"--regid={name}", "--init-groups", "--"];
        string[] machine = spec.Machine is { } place && lab.Network is { } network ? ["nsenter", $"--net={network[place].NamespacePath}", "--"] : [];
        foreach (var argument in (string[])[.. wrapper, .. machine, .. spec.Wrapper, .. user, spec.Program, .. spec.Arguments])
        {
            start.ArgumentList.Add(argument);
        }

        SetEnvironment(start, lab, spec, logFile);
        try
        {
            var child = Process.Start(start) ?? throw new LabException($"{spec.Name} did not start");
            var identity = ProcessIdentity.Of(child.Id) ?? new ProcessIdentity(child.Id, -1);
            return new Proc(child, identity, spec.Name, logFile, logEnd);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new LabException($"{spec.Name} did not start: {e.Message}", e);
        }
    }

    /// <summary>Runs a command to its end; kills it at the limit.</summary>
    /// <exception cref="LabException">It did not end within the limit.</exception>
    public static async Task<CommandResult> RunAsync(LabFolder lab, ProcSpec spec, TimeSpan? limit = null)
    {
        await using var proc = Start(lab, spec);
        var bound = limit ?? TimeSpan.FromSeconds(60);
        if (!await proc.WaitForExitAsync(bound))
        {
            throw new LabException($"{spec.Name} did not end within {bound.TotalSeconds:0} s; its output:\n{proc.Output}");
        }

        return new CommandResult(proc.ExitCode ?? -1, proc.Output);
    }

    /// <summary>Runs a command that must succeed; returns its output.</summary>
    /// <exception cref="LabException">It failed or did not end within the limit.</exception>
    public static async Task<string> MustRunAsync(LabFolder lab, ProcSpec spec, TimeSpan? limit = null)
    {
        var result = await RunAsync(lab, spec, limit);
        return result.Succeeded
            ? result.Output
            : throw new LabException($"{spec.Name} ended with {result.ExitCode}; its output:\n{result.Output}");
    }

    public bool Send(Signal signal) => Identity.Send(signal);

    /// <summary>Waits for the end; false when the limit passes first.</summary>
    public async Task<bool> WaitForExitAsync(TimeSpan limit)
    {
        using var timer = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(timer.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Asks it to end, and kills it at the limit; true when it ended by itself.</summary>
    public async Task<bool> StopAsync(Signal signal = Signal.Terminate, TimeSpan? limit = null)
    {
        Send(signal);
        if (await WaitForExitAsync(limit ?? TimeSpan.FromSeconds(15)))
        {
            return true;
        }

        await KillAsync();
        return false;
    }

    /// <summary>SIGKILL, and the wait for its end.</summary>
    public async Task KillAsync()
    {
        Send(Signal.Kill);
        await WaitForExitAsync(TimeSpan.FromSeconds(10));
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        process.Dispose();
    }

    /// <summary>The end (64 kB) of a text file that may still grow; empty when there is none.</summary>
    internal static string Tail(string path, long from = 0)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            stream.Position = Math.Min(stream.Length, Math.Max(from, stream.Length - OutputLimit));
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "";
        }
    }

    private static void SetEnvironment(ProcessStartInfo start, LabFolder lab, ProcSpec spec, string logFile)
    {
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOME"] = lab.Root;
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment[LabSweep.Mark] = lab.Root;
        start.Environment["HAREPD_LAB_LOG"] = logFile;
        foreach (var (name, value) in spec.Environment)
        {
            start.Environment[name] = value;
        }
    }
}
