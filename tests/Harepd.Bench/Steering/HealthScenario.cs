using System.Globalization;
using System.Net;
using Harepd.Lab;
using Harepd.Lab.Machine;

namespace Harepd.Bench.Steering;

/// <summary>
/// Ten thousand health requests a second at the holder's daemon while it decides, beside a bare Kestrel that only says yes. In turns, a few seconds each;
/// client and servers share the machine. The holder must keep its term all the while.
/// </summary>
internal sealed class HealthScenario : IScenario
{
    private const int Rate = 10_000;
    private const int MostTurns = 5;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(4);

    public string Name => "health";

    public async Task<IReadOnlyList<Comparison>> RunAsync(SteeringLab lab, BenchOptions options)
    {
        await lab.StartDaemonsAsync();
        await using var bare = await BareAnswers.StartAsync();
        bare.IsUp = true;
        var floorEnd = bare.Http;
        var ownEnd = new IPEndPoint(IPAddress.Parse(lab.Primary.Server.Address), LabCluster.HttpPort);
        var term = await TermAsync(ownEnd);
        await HealthLoad.RunAsync(floorEnd, Rate, Length / 4);
        await HealthLoad.RunAsync(ownEnd, Rate, Length / 4);
        var (floor, own) = (new List<HealthAnswers>(), new List<HealthAnswers>());
        for (var turn = 0; turn < Math.Min(options.Rounds, MostTurns); turn++)
        {
            floor.Add(await HealthLoad.RunAsync(floorEnd, Rate, Length));
            own.Add(await HealthLoad.RunAsync(ownEnd, Rate, Length));
            SteeringLab.Tell(string.Create(
                CultureInfo.InvariantCulture, $"bare {P99(floor[^1]):F2} ms at {floor[^1].Rate:F0}/s, harepd {P99(own[^1]):F2} ms at {own[^1].Rate:F0}/s (p99)"));
        }

        var (wrong, after) = (own.Sum(one => one.Wrong), await TermAsync(ownEnd));
        await lab.StopDaemonsAsync();
        return wrong == 0 && after == term
            ? [Compare("answer p99, us", P99Micros), Compare("answer median, us", one => Micros(one, 0.5)), Compare("answers a second", one => one.Rate)]
            : throw new LabException($"{wrong} answers were not 200, and the term went from {term} to {after}");

        Comparison Compare(string measure, Func<HealthAnswers, double> value) =>
            new(measure, Distribution.Of(floor.Select(value)), Distribution.Of(own.Select(value)));
    }

    private static double P99(HealthAnswers answers) => P99Micros(answers) / 1000;

    private static double P99Micros(HealthAnswers answers) => Micros(answers, 0.99);

    private static double Micros(HealthAnswers answers, double share)
    {
        var sorted = answers.Milliseconds.Order().ToList();
        return sorted[(int)Math.Ceiling(sorted.Count * share) - 1] * 1000;
    }

    private static async Task<string> TermAsync(IPEndPoint daemon)
    {
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri($"http://{daemon}/metrics"));
        return metrics.Split('\n').FirstOrDefault(line => line.StartsWith("harepd_term", StringComparison.Ordinal)) ?? "none";
    }
}
