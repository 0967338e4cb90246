using System.Net.Sockets;
using System.Text;

namespace Harepd.Runtime;

/// <summary>
/// Tells systemd that the daemon is ready, alive or stopping (sd_notify(3)): a datagram to <c>$NOTIFY_SOCKET</c>, a path or an abstract
/// name that begins with <c>@</c>. Silent where there is no systemd; a failure is never an error of the daemon.
/// </summary>
internal sealed class SystemdNotifier
{
    private readonly string? _path;

    public SystemdNotifier(string? path) => _path = string.IsNullOrEmpty(path) ? null : path;

    /// <summary>The period within which systemd wants to hear from us, from <c>$WATCHDOG_USEC</c>; null when it does not.</summary>
    public static TimeSpan? WatchdogPeriod(string? usec) =>
        long.TryParse(usec, out var micros) && micros > 0 ? TimeSpan.FromMicroseconds(micros) : null;

    /// <summary>Sends one state, such as <c>READY=1</c>.</summary>
    public void Send(string state)
    {
        if (_path is null)
        {
            return;
        }

        try
        {
            var name = _path[0] == '@' ? '\0' + _path[1..] : _path;
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTimeout = 200;
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(name));
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            // Nobody listens: systemd will notice by its own means.
        }
    }
}
