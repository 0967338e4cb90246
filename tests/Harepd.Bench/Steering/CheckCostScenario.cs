using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Harepd.Lab;
using Harepd.Lab.Machine;

namespace Harepd.Bench.Steering;

/// <summary>
/// One check at the holder's daemon while it decides, as HAProxy makes it: a connection, a question, an answer. Beside it a bare web server and a
/// bare agent. And what the daemon's process spent on it, the same time without checks taken off.
/// </summary>
internal sealed class CheckCostScenario : IScenario
{
    private const int Checks = 3_000;
    private const int MostTurns = 5;

    /// <summary>The kernel counts a process's time in hundredths of a second (<c>/proc/PID/stat</c>, USER_HZ).</summary>
    private const double TickMicroseconds = 10_000;

    private static readonly byte[] HttpQuestion = Encoding.ASCII.GetBytes("OPTIONS /primary HTTP/1.0\r\n\r\n");
    private static readonly byte[] AgentQuestion = Encoding.ASCII.GetBytes("write\n");

    public string Name => "check-cost";

    public async Task<IReadOnlyList<Comparison>> RunAsync(SteeringLab lab, BenchOptions options)
    {
        await lab.StartDaemonsAsync();
        await using var bare = await BareAnswers.StartAsync();
        bare.IsUp = true;
        var address = IPAddress.Parse(lab.Primary.Server.Address);
        var daemon = lab.Cluster.DaemonOf(lab.Primary).Identity ?? throw new LabException("the daemon does not run");
        var turns = Math.Min(options.Rounds, MostTurns);
        var health = new IPEndPoint(address, LabCluster.HttpPort);
        await Wait.UntilAsync(() => IsUpAsync(health), "the daemon to call itself the primary", detail: lab.Cluster.Describe);
        var http = await MeasureAsync("httpchk", bare.Http, health, HttpQuestion, "HTTP/1.1 200", daemon, turns);
        var agent = await MeasureAsync("agent-check", bare.Agent, new IPEndPoint(address, SteeringLab.AgentPort), AgentQuestion, "up", daemon, turns);
        await lab.StopDaemonsAsync();
        return [.. http, .. agent];
    }

    private static async Task<IReadOnlyList<Comparison>> MeasureAsync(
        string what, IPEndPoint floorEnd, IPEndPoint ownEnd, byte[] question, string answer, ProcessIdentity daemon, int turns)
    {
        await AskAsync(floorEnd, question, answer, Checks / 10);
        await AskAsync(ownEnd, question, answer, Checks / 10);
        var (floor, own, spent) = (new List<double>(), new List<double>(), new List<double>());
        for (var turn = 0; turn < turns; turn++)
        {
            floor.Add(Median(await AskAsync(floorEnd, question, answer, Checks)));
            var (before, begun) = (Ticks(daemon), Stopwatch.GetTimestamp());
            own.Add(Median(await AskAsync(ownEnd, question, answer, Checks)));
            var (length, busy) = (Stopwatch.GetElapsedTime(begun), Ticks(daemon) - before);
            before = Ticks(daemon);
            await Task.Delay(length);
            spent.Add(Math.Max(0, busy - (Ticks(daemon) - before)) * TickMicroseconds / Checks);
            SteeringLab.Tell(string.Create(
                CultureInfo.InvariantCulture, $"{what}: bare {floor[^1]:F0} us, harepd {own[^1]:F0} us, of its processor {spent[^1]:F0} us"));
        }

        return
        [
            new Comparison($"{what}: one check, us", Distribution.Of(floor), Distribution.Of(own)),
            new Comparison($"{what}: the daemon's processor time for one check, us", null, Distribution.Of(spent)),
        ];
    }

    /// <summary>HAProxy may still be as another scenario left it, before this daemon even listens.</summary>
    private static async Task<bool> IsUpAsync(IPEndPoint end)
    {
        try
        {
            return (await AskAsync(end, HttpQuestion, "HTTP/1.1 200", 1)).Count == 1;
        }
        catch (Exception e) when (e is SocketException or LabException)
        {
            return false;
        }
    }

    private static async Task<List<double>> AskAsync(IPEndPoint end, byte[] question, string expected, int count)
    {
        var (times, buffer) = (new List<double>(count), new byte[2048]);
        while (times.Count < count)
        {
            var begun = Stopwatch.GetTimestamp();
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(end);
            await socket.SendAsync(question);
            var length = await socket.ReceiveAsync(buffer);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
            var answer = Encoding.ASCII.GetString(buffer, 0, length);
            if (!answer.StartsWith(expected, StringComparison.Ordinal))
            {
                throw new LabException($"{end} answered {answer}");
            }
        }

        return times;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    /// <summary>Fields 14 and 15 of <c>/proc/PID/stat</c>: user and system time.</summary>
    private static long Ticks(ProcessIdentity process)
    {
        var text = File.ReadAllText($"/proc/{process.Pid}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
