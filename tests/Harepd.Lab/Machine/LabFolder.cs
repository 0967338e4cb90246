using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Harepd.Lab.Machine;

/// <summary>
/// A folder under /tmp with everything one lab makes: data directories, sockets, logs, and the list of its processes. Whatever was started
/// is ended and the folder removed on dispose, on exit, and on SIGINT, SIGTERM and SIGHUP; a later lab sweeps up after one that was killed.
/// HAREPD_LAB_KEEP=1 keeps the folder (never the processes) for a look afterwards.
/// </summary>
public sealed class LabFolder : IAsyncDisposable, IDisposable
{
    internal const string Prefix = "harepd-lab-";
    internal const string OwnerFile = "owner";
    private const string MemoryDisk = "/dev/shm";
    private const long LogLimit = 256L << 20;

    private readonly Lock gate = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private readonly Timer logBound;
    private bool disposed;

    private LabFolder(string path, AddressBlock addresses, bool ownSignals)
    {
        Root = path;
        Addresses = addresses;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnCrash;
        foreach (var signal in ownSignals ? [] : new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            registrations.Add(PosixSignalRegistration.Create(signal, _ => Dispose()));
        }

        logBound = new Timer(_ => BoundLogs(), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
    }

    /// <summary>The folder's absolute path; short enough for unix sockets below it.</summary>
    public string Root { get; }

    public AddressBlock Addresses { get; }

    /// <summary>The machines that the lab's servers run on; null: all on loopback.</summary>
    public MachineNetwork? Network { get; private set; }

    /// <summary>The lab's folder on tmpfs, as /run would be; the lab itself where the machine has none.</summary>
    public string MemoryRoot => MemoryRootOf(Root);

    /// <summary>The system user that servers run as: PostgreSQL refuses root. Null: as whoever runs the lab.</summary>
    public static string? ServerUser => Environment.IsPrivilegedProcess ? "postgres" : null;

    /// <summary>Makes an empty lab; first sweeps up what a killed lab left behind.</summary>
    /// <param name="ownSignals">The caller handles SIGINT, SIGTERM and SIGHUP itself and disposes the lab then.</param>
    public static LabFolder Create(bool ownSignals = false)
    {
        LabSweep.RemoveAbandoned();
        var path = Path.Combine("/tmp", Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
        Directory.CreateDirectory(path);
        var self = ProcessIdentity.Of(Environment.ProcessId) ?? throw new LabException("/proc is not readable");
        File.WriteAllText(Path.Combine(path, OwnerFile), $"{self.Pid} {self.StartTicks} {LabSweep.BootId()}\n");
        GiveToServers(path);
        Directory.CreateDirectory(MemoryRootOf(path));
        GiveToServers(MemoryRootOf(path));
        return new LabFolder(path, AddressBlock.Claim(), ownSignals);
    }

    /// <summary>Gives the lab a network of its own; what is started from then on runs on the machine that it names.</summary>
    /// <param name="hosts">Machines by name, each with its host number.</param>
    /// <exception cref="LabException">Namespaces cannot be made here (<see cref="MachineNetwork.WhyNot"/>).</exception>
    public async Task BuildNetworkAsync(IReadOnlyDictionary<string, int> hosts) => Network = await MachineNetwork.BuildAsync(this, hosts);

    /// <summary>The address of a host: on the lab's network, or of its loopback block.</summary>
    public string AddressOf(int host) => Network is null ? Addresses[host] : MachineNetwork.AddressOf(host);

    /// <summary>Makes a folder below the lab that belongs to the servers' user, mode 0700.</summary>
    public string MakeFolder(string name) => MakeFolderIn(Root, name);

    /// <summary>As <see cref="MakeFolder"/>, on tmpfs.</summary>
    public string MakeMemoryFolder(string name) => MakeFolderIn(MemoryRoot, name);

    private static string MakeFolderIn(string root, string name)
    {
        var path = Path.Combine(root, name);
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        GiveToServers(path);
        return path;
    }

    /// <summary>Writes a small file that the servers' user owns, and returns its path.</summary>
    public string WriteFile(string name, string text, bool executable = false)
    {
        var path = Path.Combine(Root, name);
        File.WriteAllText(path, text);
        if (executable)
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        GiveToServers(path);
        return path;
    }

    /// <summary>
    /// Ends every process of the lab and removes the folder. Safe to call twice and from any thread; a second caller waits for the first,
    /// so that a crash in the middle of the clean-up does not cut it short.
    /// </summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            disposed = true;
            logBound.Dispose();
            LabSweep.KillProcesses(Root);
            NetworkSpaces.Remove(Root);
            if (Environment.GetEnvironmentVariable("HAREPD_LAB_KEEP") is not "1")
            {
                LabSweep.Remove(Root);
            }

            Addresses.Dispose();
            AppDomain.CurrentDomain.ProcessExit -= OnExit;
            AppDomain.CurrentDomain.UnhandledException -= OnCrash;
        }
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        // Not in Dispose: a handler that disposes its own registration would wait for itself.
        foreach (var registration in registrations)
        {
            registration.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    internal static string MemoryRootOf(string root) =>
        Directory.Exists(MemoryDisk) ? Path.Combine(MemoryDisk, Path.GetFileName(root)) : root;

    private static void GiveToServers(string path)
    {
        if (ServerUser is { } user)
        {
            Ownership.Give(path, user);
        }
    }

    private void OnCrash(object sender, UnhandledExceptionEventArgs e) => Dispose();

    private void OnExit(object? sender, EventArgs e) => Dispose();

    // Logs are opened for appending, so a cut one goes on from the start; only a process gone wild gets here.
    private void BoundLogs()
    {
        try
        {
            foreach (var log in new DirectoryInfo(Root).EnumerateFiles("*.log").Where(log => log.Length > LogLimit))
            {
                using var stream = log.Open(FileMode.Truncate, FileAccess.Write, FileShare.ReadWrite);
            }
        }
        catch (IOException)
        {
            // The folder is going away.
        }
    }
}
