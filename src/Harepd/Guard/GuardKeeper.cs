using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Harepd.Clock;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;
using Harepd.Runtime;
using Microsoft.Extensions.Logging;

namespace Harepd.Guard;

/// <summary>
/// The daemon's side of the guard: keeps the page, starts the guard process when none looks at the page, and notices when it stops looking.
/// </summary>
internal sealed class GuardKeeper : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    // While there is none, because a member that wants a guard behind its lease asks for none before it is seen.
    private static readonly TimeSpan SearchInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan StartInterval = TimeSpan.FromSeconds(5);
    private readonly GuardPage _page;
    private readonly string _configFile;
    private readonly Action<bool> _seen;
    private readonly ILogger _log;
    private readonly Timer _timer;
    private readonly Lock _looking = new();
    private Instant _lastStart = Instant.Zero;
    private bool? _wasAlive;

    private GuardKeeper(GuardPage page, string configFile, Action<bool> seen, ILogger log)
    {
        _page = page;
        _configFile = configFile;
        _seen = seen;
        _log = log;
        _timer = new Timer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(TimeSpan.Zero, SearchInterval);
    }

    /// <summary>True while the guard looks at the page.</summary>
    public bool IsAlive => BootClock.Now - _page.GuardBeat < GuardPage.BeatLimit;

    /// <summary>True while the guard is at a fence; bounded by the fence's own deadline, for a guard that dies at it.</summary>
    public bool IsFencing => BootClock.Now < _page.FencingUntil;

    /// <summary>True when the guard has shut the gate under the order that stands, so that whoever fences after it need not hurry.</summary>
    public bool HasShut => _page.HasShut;

    /// <summary>Opens the page for a new run of the daemon and begins to watch the guard.</summary>
    /// <param name="runDir">Where the page is.</param>
    /// <param name="configFile">What the guard process is started with.</param>
    /// <param name="seen">Told at the first look and at each change whether the guard looks at the page; on a pool thread, must not block.</param>
    /// <param name="log">Told of the same changes.</param>
    /// <exception cref="IOException">The run folder cannot be written.</exception>
    public static GuardKeeper Start(string runDir, string configFile, Action<bool> seen, ILogger log) =>
        new(BeginRun(runDir, Environment.ProcessId, MemoryStore.BootId()), configFile, seen, log);

    /// <summary>
    /// The page for a new run. The order of the run before stays in force, whether its lease is resumed or not: the gate it speaks of may be open
    /// still, and a run that hangs before it has shut it must not have sent the guard away. At worst the guard fences once what is shut.
    /// </summary>
    internal static GuardPage BeginRun(string runDir, int daemonPid, string bootId)
    {
        var page = GuardPage.Open(runDir);
        page.Begin(daemonPid, BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(bootId))));
        return page;
    }

    /// <summary>Passes the watchdog's order on. Takes a microsecond.</summary>
    public void Arm(Effect.ArmWatchdog arm) => _page.Write(new GuardOrder(arm.Term, arm.FenceAt, arm.Deadline));

    /// <summary>The configuration changed: the guard reads it anew (SIGHUP). Only a guard that looks at the page is told, so the number is its own.</summary>
    public void AskToReload()
    {
        if (IsAlive && _page.GuardPid is var pid and > 1)
        {
            _ = Kernel.Kill(pid, Kernel.SigHup);
        }
    }

    /// <summary>The daemon ended with the gate shut: the guard may go.</summary>
    public void Finish()
    {
        _page.Write(default);
        _page.Finish();
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_looking)
        {
            _page.Dispose();
        }
    }

    private void Look()
    {
        if (!_looking.TryEnter())
        {
            return;
        }

        try
        {
            var isAlive = IsAlive;
            if (isAlive != _wasAlive)
            {
                NoteChange(isAlive);
            }

            if (!isAlive && (_lastStart == Instant.Zero || BootClock.Now - _lastStart > StartInterval))
            {
                _lastStart = BootClock.Now;
                Launch();
            }
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void NoteChange(bool isAlive)
    {
        // A guard that does not run yet at the start is no news for people.
        if (isAlive || _wasAlive == true)
        {
            _log.Log(
                isAlive ? LogLevel.Information : LogLevel.Error,
                new EventId(170 + (isAlive ? 1 : 2), isAlive ? "GuardUp" : "GuardDown"),
                "the guard {State} (process {Pid})",
                isAlive ? "looks at the lease" : "does not look at the lease any more",
                _page.GuardPid);
        }

        _wasAlive = isAlive;
        _seen(isAlive);
        var interval = isAlive ? LookInterval : SearchInterval;
        try
        {
            _timer.Change(interval, interval);
        }
        catch (ObjectDisposedException)
        {
            // The daemon ends.
        }
    }

    private void Launch()
    {
        try
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
            if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            {
                start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
            }

            foreach (var argument in new[] { "guard", "-f", _configFile })
            {
                start.ArgumentList.Add(argument);
            }

            using var process = Process.Start(start);
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            _log.LogError(new EventId(173, "GuardNotStarted"), "the guard cannot be started: {Reason}", error.Message);
        }
    }
}
