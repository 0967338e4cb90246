using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Harepd.Lab.Machine;

/// <summary>
/// One machine of a <see cref="MachineNetwork"/>: a network namespace with an address of its own. What is started in it reaches the others over
/// the network alone; files and unix sockets are shared with the whole lab.
/// </summary>
public sealed partial class NetworkMachine
{
    private const int NetworkNamespace = 0x40000000;

    private readonly string identity;

    internal NetworkMachine(string name, string address, string space)
    {
        Name = name;
        Address = address;
        NamespacePath = NetworkSpaces.PathOf(space);
        identity = Inside(() => IdentityOf("thread-self")) ?? throw new LabException($"{NamespacePath} cannot be told from others");
    }

    public string Name { get; }

    public string Address { get; }

    /// <summary>The namespace as <c>nsenter --net=</c> takes it.</summary>
    public string NamespacePath { get; }

    /// <summary>A TCP socket of this machine, for a client that runs in the test's own process: a socket stays in the namespace that it was made in.</summary>
    public Socket OpenSocket() => Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });

    /// <summary>The processes that run on this machine now.</summary>
    public IReadOnlyList<ProcessIdentity> Processes() =>
        [.. ProcessIdentity.AllPids()
            .Where(pid => pid != Environment.ProcessId && IdentityOf($"{pid}") == identity)
            .Select(ProcessIdentity.Of)
            .OfType<ProcessIdentity>()
            .Where(process => process.IsAlive)];

    /// <summary>Power off: every process is killed, again and again until none is left. What they had open is reset or, behind a cut, just silent.</summary>
    /// <exception cref="LabException">Some would not die.</exception>
    public Task KillAllAsync() => Wait.UntilAsync(
        () =>
        {
            var living = Processes();
            foreach (var process in living)
            {
                process.Send(Signal.Kill);
            }

            return living.Count == 0;
        },
        $"every process of {Name} to end");

    // On a thread of its own, which ends at once: a thread of the pool would carry the namespace to strangers.
    private T Inside<T>(Func<T> work)
    {
        var done = default(T);
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                done = work();
            }
            catch (Exception e) when (e is LabException or SocketException or IOException or UnauthorizedAccessException)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return done!;
    }

    private void Enter()
    {
        using var handle = File.OpenHandle(NamespacePath);
        if (SetNamespace(handle.DangerousGetHandle().ToInt32(), NetworkNamespace) != 0)
        {
            throw new LabException($"cannot enter {NamespacePath}: error {Marshal.GetLastPInvokeError()}");
        }
    }

    // net:[4026532281]; null for a process that is gone or not ours to look at.
    private static string? IdentityOf(string process)
    {
        try
        {
            return new FileInfo($"/proc/{process}/ns/net").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
