using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Harepd.Tests.Haproxy;

/// <summary>A TCP server that greets with its name and echoes, so that a client behind HAProxy knows where it is.</summary>
internal sealed class NamedServer : IDisposable
{
    private readonly string _name;
    private TcpListener? _listener;

    public NamedServer(string name)
    {
        _name = name;
        Address = TestNet.Address();
        Port = TestNet.FreePort(Address);
        Listen();
    }

    public IPAddress Address { get; }

    public int Port { get; }

    public string Config => $"server {_name} {Address}:{Port}";

    public void Listen()
    {
        var listener = _listener = new TcpListener(Address, Port);
        listener.Start();
        new Thread(() => Accept(listener)) { IsBackground = true }.Start();
    }

    /// <summary>Refuses new connections from here on.</summary>
    public void Stop()
    {
        _listener?.Stop();
        _listener = null;
    }

    public void Dispose() => Stop();

    private void Accept(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = listener.AcceptTcpClient();
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception ex) when (ex is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The listener was stopped.
        }
    }

    private void Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                stream.Write(Encoding.ASCII.GetBytes(_name + "\n"));
                var buffer = new byte[1024];
                int read;
                while ((read = stream.Read(buffer)) > 0)
                {
                    stream.Write(buffer.AsSpan(0, read));
                }
            }
            catch (IOException)
            {
                // HAProxy ended the session.
            }
        }
    }
}

/// <summary>A client of HAProxy's frontend.</summary>
internal sealed class Caller : IDisposable
{
    private readonly Socket _socket;

    /// <param name="frontend">Where to connect.</param>
    /// <param name="first">Sent before anything is read, as a PostgreSQL client does.</param>
    public Caller(IPEndPoint frontend, string first = "")
    {
        _socket = new Socket(frontend.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        _socket.Connect(frontend);
        if (first.Length > 0)
        {
            _socket.Send(Encoding.ASCII.GetBytes(first));
        }

        Server = ReadLine();
    }

    /// <summary>The server's name, or null when HAProxy closed the connection instead.</summary>
    public string? Server { get; }

    /// <summary>Where a new connection lands now.</summary>
    public static string? Ask(IPEndPoint frontend, string first = "")
    {
        using var caller = new Caller(frontend, first);
        return caller.Server;
    }

    public bool Echoes()
    {
        _socket.Send("ping\n"u8);
        return ReadLine() == "ping";
    }

    /// <summary>Blocks until HAProxy ends the session.</summary>
    public void WaitEnd() => Assert.Null(ReadLine());

    /// <summary>True while nothing came from the other side, not even an end.</summary>
    public bool IsQuiet() => !_socket.Poll(0, SelectMode.SelectRead);

    public void Dispose() => _socket.Dispose();

    private string? ReadLine()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        try
        {
            while (_socket.Receive(one) == 1)
            {
                if (one[0] == '\n')
                {
                    return line.ToString();
                }

                line.Append((char)one[0]);
            }
        }
        catch (SocketException ex) when (ex.SocketErrorCode == SocketError.ConnectionReset)
        {
            return null;
        }

        return null;
    }
}
