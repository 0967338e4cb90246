using System.Runtime.InteropServices;
using Harepd.Core.Model;
using Harepd.Files;
using Microsoft.Extensions.Logging;

namespace Harepd.Guard;

/// <summary>
/// The machine's own watchdog (Linux: <c>/dev/watchdog</c>, "The Linux Watchdog driver API") as the last resort behind the guard: while this member may have its gate open, the
/// guard feeds it; when the guard itself is frozen, or cannot confirm a fence by the end of the lease, nobody does, and the machine is reset. Off outside of a lease.
/// For one thread.
/// </summary>
/// <param name="path">The device.</param>
/// <param name="timeout">How long after the last feeding the machine is reset; whole seconds. Shorter than a lease that is not renewed any more, so that the reset comes before its end.</param>
/// <param name="log">Told when the device cannot be had.</param>
internal sealed partial class HardwareWatchdog(string path, TimeSpan timeout, ILogger log)
{
    /// <summary><c>_IOWR('W', 6, int)</c> of linux/watchdog.h.</summary>
    private const nuint SetTimeout = 0xC0045706;

    /// <summary>Written last it ends the watch, where the driver may end at all (not with <c>nowayout</c>).</summary>
    private const byte MagicClose = (byte)'V';
    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(200);
    private int _device = -1;
    private Instant _fedAt;
    private bool _isTold;

    /// <summary>The device is open, and the machine will be reset unless it is fed.</summary>
    public bool IsOn => _device >= 0;

    /// <summary>D less a renewal, in whole seconds: who stops renewing is reset before its lease ends. At least one, the shortest that most devices know.</summary>
    public static TimeSpan TimeoutFor(TimeSpan duration, TimeSpan renewInterval) =>
        TimeSpan.FromSeconds(Math.Max(1, Math.Floor((duration - renewInterval).TotalSeconds)));

    /// <summary>One look, at each turn of the guard.</summary>
    /// <param name="order">What the daemon told last; armed while the gate may be open.</param>
    /// <param name="now">Boot-time clock.</param>
    public void Keep(GuardOrder order, Instant now)
    {
        if (!order.IsArmed)
        {
            Off();
        }
        else if (now < order.Deadline && now - _fedAt >= _pace && (IsOn || On()))
        {
            // An armed order that is past its end and not fenced is what the reset is for.
            _ = Posix.Write(_device, [0], 1);
            _fedAt = now;
        }
    }

    /// <summary>Nothing is armed, and the watch ends in order. Never called for a gate that may be open: a device that is closed in another way goes on counting.</summary>
    public void Off()
    {
        if (IsOn)
        {
            _ = Posix.Write(_device, [MagicClose], 1);
            _ = Posix.Close(_device);
            _device = -1;
        }
    }

    private bool On()
    {
        _device = Posix.Open(path, Posix.WriteOnly | Posix.CloseOnExec, 0);
        if (_device < 0)
        {
            Tell($"cannot be opened: {Posix.LastError.Text}");
            return false;
        }

        var seconds = (int)timeout.TotalSeconds;
        if (IoControl(_device, SetTimeout, ref seconds) != 0)
        {
            Tell($"keeps its own timeout: {Posix.LastError.Text}");
        }

        log.LogInformation(new EventId(177, "WatchdogOn"), "{Path} resets this machine {Seconds} s after the guard stops feeding it", path, seconds);
        return true;
    }

    private void Tell(string trouble)
    {
        if (!_isTold)
        {
            _isTold = true;
            log.LogError(new EventId(178, "WatchdogTrouble"), "{Path} {Trouble}; without it nothing stands behind the guard", path, trouble);
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControl(int descriptor, nuint request, ref int value);
}
