using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Harepd.Bench.Steering;

/// <summary>What a load of health requests came to.</summary>
/// <param name="Milliseconds">From the sending of each request to the end of its answer.</param>
/// <param name="Rate">Answers a second that were reached.</param>
/// <param name="Wrong">Answers that were not 200.</param>
internal sealed record HealthAnswers(IReadOnlyList<double> Milliseconds, double Rate, int Wrong);

/// <summary>
/// Asks as HAProxy's httpchk does (<c>OPTIONS</c>, no body), at a steady rate over connections that stay. A connection that is late sends what it owes
/// at once, so the rate holds as long as the server keeps up.
/// </summary>
internal static class HealthLoad
{
    private const int Connections = 20;
    private static readonly byte[] Question = Encoding.ASCII.GetBytes("OPTIONS /primary HTTP/1.1\r\nHost: health\r\n\r\n");
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(2);

    public static async Task<HealthAnswers> RunAsync(IPEndPoint server, int rate, TimeSpan length)
    {
        var begun = Stopwatch.GetTimestamp();
        var each = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(() => AskAsync(server, (double)rate / Connections, length))));
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var all = each.SelectMany(one => one.Milliseconds).ToList();
        return new HealthAnswers(all, all.Count / seconds, each.Sum(one => one.Wrong));
    }

    private static async Task<(List<double> Milliseconds, int Wrong)> AskAsync(IPEndPoint server, double rate, TimeSpan length)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server);
        using var timer = new PeriodicTimer(Beat);
        var (times, wrong) = (new List<double>((int)(rate * length.TotalSeconds) + 1), 0);
        var buffer = new byte[2048];
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < length)
        {
            var due = Stopwatch.GetElapsedTime(begun).TotalSeconds * rate;
            while (times.Count < due)
            {
                var sent = Stopwatch.GetTimestamp();
                await socket.SendAsync(Question);
                wrong += await IsOkAsync(socket, buffer) ? 0 : 1;
                times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }

            await timer.WaitForNextTickAsync();
        }

        return (times, wrong);
    }

    /// <summary>Reads one answer without a body, to its empty line.</summary>
    private static async Task<bool> IsOkAsync(Socket socket, byte[] buffer)
    {
        var length = 0;
        while (!buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length));
            if (read == 0)
            {
                throw new IOException("the server closed the connection");
            }

            length += read;
        }

        return buffer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8);
    }
}
