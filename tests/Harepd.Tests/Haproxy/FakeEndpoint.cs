using System.Net.Sockets;
using System.Text;

namespace Harepd.Tests.Haproxy;

/// <summary>
/// A unix socket that misbehaves in ways a real HAProxy cannot be made to: the handler gets the line received and returns the
/// bytes to answer, or null to stay silent with the connection open.
/// </summary>
internal sealed class FakeEndpoint : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-fake-").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Func<string, byte[]?> _answer;
    private readonly List<Socket> _silent = [];

    public FakeEndpoint(Func<string, byte[]?> answer)
    {
        _answer = answer;
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen(64);
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public string Path => System.IO.Path.Combine(_folder, "fake.sock");

    /// <summary>A fake that passes everything on to a real socket, after the handler had a look.</summary>
    public static FakeEndpoint Relay(RealHaproxy real, Action<string> before) => new(line =>
    {
        before(line);
        return Encoding.Latin1.GetBytes(real.Command(line)!);
    });

    public static byte[] Text(string text) => Encoding.Latin1.GetBytes(text);

    public void Dispose()
    {
        _listener.Dispose();
        lock (_silent)
        {
            _silent.ForEach(s => s.Dispose());
        }

        Directory.Delete(_folder, recursive: true);
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var client = _listener.Accept();
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception ex) when (ex is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private void Serve(Socket client)
    {
        try
        {
            var line = new StringBuilder();
            var buffer = new byte[4096];
            while (!line.ToString().EndsWith('\n'))
            {
                var read = client.Receive(buffer);
                if (read == 0)
                {
                    break;
                }

                line.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }

            if (_answer(line.ToString().TrimEnd('\n')) is { } bytes)
            {
                client.Send(bytes);
                client.Dispose();
                return;
            }

            lock (_silent)
            {
                _silent.Add(client);
            }
        }
        catch (Exception)
        {
            // The test is over, or the peer gave up: an exception here would end the whole run.
            client.Dispose();
        }
    }
}
