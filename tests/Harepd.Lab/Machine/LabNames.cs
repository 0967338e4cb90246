using System.Net;
using System.Net.Sockets;

namespace Harepd.Lab.Machine;

/// <summary>
/// Names for a lab's nodes that can be taken away: a hosts file that only processes started with <see cref="Wrapper"/> see, and behind it a name server
/// that takes every question and answers none.
/// </summary>
public sealed class LabNames : IDisposable
{
    private const string Domain = "harepd.test";
    private readonly string hosts;
    private readonly string resolver;
    private readonly string entries;
    private readonly Socket server;
    private int questions;

    /// <param name="lab">Where the two files are.</param>
    /// <param name="addresses">By host name.</param>
    /// <param name="nameServer">A loopback address of the lab's; port 53 of it is listened at.</param>
    /// <exception cref="LabException">The port is taken, or not allowed.</exception>
    public LabNames(LabFolder lab, IReadOnlyDictionary<string, string> addresses, string nameServer)
    {
        entries = string.Concat(addresses.Select(pair => $"{pair.Value} {NameOf(pair.Key)}\n"));
        hosts = lab.WriteFile("hosts", entries);
        resolver = lab.WriteFile("resolv.conf", $"nameserver {nameServer}\noptions timeout:30 attempts:3\n");
        foreach (var file in new[] { hosts, resolver })
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            server.Bind(new IPEndPoint(IPAddress.Parse(nameServer), 53));
        }
        catch (SocketException e)
        {
            server.Dispose();
            throw new LabException($"no name server at {nameServer}: {e.Message}", e);
        }

        new Thread(Listen) { IsBackground = true, Name = "deaf name server" }.Start();
    }

    /// <summary>Questions that came and were left without an answer.</summary>
    public int Questions => Volatile.Read(ref questions);

    /// <summary>What a program is started with so that it sees these names and no others.</summary>
    public IReadOnlyList<string> Wrapper =>
    [
        "unshare", "--mount", "--", "sh", "-c", "mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" /etc/resolv.conf && shift 2 && exec \"$@\"", "sh", hosts, resolver,
    ];

    /// <summary>The full name of a host.</summary>
    public static string NameOf(string host) => $"{host.Replace('_', '-')}.{Domain}";

    /// <summary>From now on a question for a name hangs. The files are written in place: who was started before sees it too.</summary>
    public void Forget() => File.WriteAllText(hosts, "");

    /// <summary>Names are known again.</summary>
    public void Remember() => File.WriteAllText(hosts, entries);

    public void Dispose() => server.Dispose();

    private void Listen()
    {
        var question = new byte[512];
        try
        {
            while (server.Receive(question) > 0)
            {
                Interlocked.Increment(ref questions);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The lab ends.
        }
    }
}
