using System.Net;
using System.Net.Sockets;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// Turns a configured address into one that can be connected. A path or literal address is known from the start; a host name
/// is asked in the background and the last answer is kept, so that no DNS server can hold up a cut. Thread-safe.
/// </summary>
internal sealed class RemoteName
{
    private readonly RuntimeAddress _address;
    private readonly int _port;
    private EndPoint? _known;
    private int _asking;

    public RemoteName(RuntimeAddress address)
    {
        _address = address;
        switch (address)
        {
            case RuntimeAddress.Unix(var path):
                _known = new UnixDomainSocketEndPoint(path);
                break;
            case RuntimeAddress.Tcp(var host, var port):
                _port = port;
                _known = IPAddress.TryParse(host, out var ip) ? new IPEndPoint(ip, port) : null;
                if (_known is null)
                {
                    AskAgain();
                }

                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>The last known address; null while a host name has never been resolved.</summary>
    public EndPoint? Known => Volatile.Read(ref _known);

    /// <summary>Starts one resolution in the background when this is a host name and none is under way.</summary>
    public void AskAgain()
    {
        if (_address is not RuntimeAddress.Tcp(var host, _) || IPAddress.TryParse(host, out _) || Interlocked.Exchange(ref _asking, 1) == 1)
        {
            return;
        }

        // The system's resolver cannot be interrupted: on the pool, a dead name server would take one of its threads for each endpoint.
        _ = Task.Factory.StartNew(() => Resolve(host), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Resolve(string host)
    {
        try
        {
            var found = Dns.GetHostAddresses(host);
            if (found.Length > 0)
            {
                Volatile.Write(ref _known, new IPEndPoint(found[0], _port));
            }
        }
        catch (SocketException)
        {
            // The name stays unknown, or keeps its last address; the caller's own failure says so with the endpoint's name.
        }
        finally
        {
            Volatile.Write(ref _asking, 0);
        }
    }

    /// <summary>Waits until the name is known or the deadline passes; for callers that are allowed to wait.</summary>
    internal bool WaitKnown(Instant deadline)
    {
        while (Known is null && Clock.BootClock.Now < deadline)
        {
            AskAgain();
            Thread.Sleep(5);
        }

        return Known is not null;
    }
}
