using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Harepd.Tests.Haproxy;

/// <summary>Loopback addresses of this room's tests: each use gets one of its own, and the kernel picks the port.</summary>
internal static class TestNet
{
    private static int _next;

    public static IPAddress Address()
    {
        var number = Interlocked.Increment(ref _next);
        return new IPAddress([127, 40, (byte)(1 + Environment.ProcessId % 200), (byte)(1 + number % 250)]);
    }

    public static int FreePort(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public static void Eventually(Func<bool> condition, string what) => Eventually(condition, () => what);

    /// <summary>Waits for a condition, bounded generously: the bound is for a broken test, not a measurement.</summary>
    public static void Eventually(Func<bool> condition, Func<string> what)
    {
        for (var i = 0; i < 4_000; i++)
        {
            if (condition())
            {
                return;
            }

            Thread.Sleep(5);
        }

        Assert.Fail($"never happened: {what()}");
    }
}
