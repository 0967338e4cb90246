using Harepd.Lab.Machine;

namespace Harepd.Lab.Daemon;

/// <summary>Which part of the daemon a process is.</summary>
public enum HarepdMode
{
    Both,
    ServerOnly,
    ClientOnly,
}

/// <summary>One node's daemon: its configuration file and its runs. The same node may be started, ended and started again.</summary>
public sealed class HarepdProcess
{
    private readonly LabFolder lab;
    private readonly string name;
    private Proc? process;

    public HarepdProcess(LabFolder lab, string nodeName, string configFile, HarepdMode mode = HarepdMode.Both)
    {
        this.lab = lab;
        NodeName = nodeName;
        ConfigFile = configFile;
        Mode = mode;
        name = mode == HarepdMode.Both ? $"{nodeName}.harepd" : $"{nodeName}.harepd-{mode.ToString().ToLowerInvariant()}";
    }

    public string NodeName { get; }

    public string ConfigFile { get; }

    /// <summary>As <see cref="ProcSpec.Wrapper"/>, for all runs from now on.</summary>
    public IReadOnlyList<string> Wrapper { get; set; } = [];

    public HarepdMode Mode { get; }

    public bool IsRunning => process is { IsAlive: true };

    public int? ExitCode => process?.ExitCode;

    /// <summary>The end of what this run wrote.</summary>
    public string Log => process?.Output ?? "";

    public ProcessIdentity? Identity => process is { IsAlive: true } ? process.Identity : null;

    public void Start()
    {
        if (!IsRunning)
        {
            process = Proc.Start(lab, new ProcSpec(name, HarepdBinary.Find(), ["-f", ConfigFile, .. ModeFlag]) { Environment = Quiet, Machine = NodeName, Wrapper = Wrapper });
        }
    }

    /// <summary>SIGTERM: it fences, releases and ends. True when it ended by itself within the limit.</summary>
    public async Task<bool> StopAsync(TimeSpan? limit = null) => process is null || await process.StopAsync(Signal.Terminate, limit);

    /// <summary>SIGUSR1: it ends and leaves everything as it is for the next run. True when it ended by itself.</summary>
    public async Task<bool> HandOverAsync() => process is null || await process.StopAsync(Signal.User1);

    /// <summary>Waits for its end by itself; the exit code, or null when it still runs at the limit.</summary>
    public async Task<int?> WaitForExitAsync(TimeSpan? limit = null) =>
        process is not null && await process.WaitForExitAsync(limit ?? Wait.Long) ? process.ExitCode : null;

    /// <summary>kill -9.</summary>
    public Task KillAsync() => process?.KillAsync() ?? Task.CompletedTask;

    /// <summary>SIGSTOP: it hangs, as on a machine that swaps.</summary>
    public void Freeze() => process?.Send(Signal.Stop);

    public void Thaw() => process?.Send(Signal.Continue);

    /// <summary>SIGHUP: it reads its configuration again.</summary>
    public void Reload() => process?.Send(Signal.Hangup);

    /// <summary>Runs another command of the same binary on this node's configuration and mode, such as <c>check</c>.</summary>
    public Task<CommandResult> RunAsync(params string[] arguments) => Proc.RunAsync(
        lab,
        new ProcSpec($"{NodeName}.harepd-command", HarepdBinary.Find(), [.. arguments, "-f", ConfigFile, .. ModeFlag]) { Environment = Quiet, Machine = NodeName },
        TimeSpan.FromSeconds(30));

    private string[] ModeFlag => Mode switch
    {
        HarepdMode.ServerOnly => ["--server-only"],
        HarepdMode.ClientOnly => ["--client-only"],
        _ => [],
    };

    // The runtime's diagnostic sockets would stay in /tmp after a kill.
    private static Dictionary<string, string> Quiet => new() { ["DOTNET_EnableDiagnostics"] = "0" };
}
