using System.Globalization;
using System.Text.Json;

namespace Harepd.Bench.Steering;

/// <summary>Steering on real servers: one cluster, one scenario after the other, one line a figure.</summary>
internal static class SteeringBench
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>All there are, in the order in which they run.</summary>
    public static IReadOnlyList<IScenario> Scenarios { get; } =
        [new PromotionScenario(), new HealthScenario(), new HoldScenario(), new MoveScenario(), new FlipScenario(), new CheckCostScenario()];

    public static async Task RunAsync(BenchOptions options, TextWriter output)
    {
        await using var lab = await SteeringLab.StartAsync();
        foreach (var scenario in Scenarios.Where(one => options.Only.Count == 0 || options.Only.Contains(one.Name)))
        {
            foreach (var comparison in await scenario.RunAsync(lab, options))
            {
                Print(output, scenario, comparison, options.Json);
            }
        }
    }

    private static void Print(TextWriter output, IScenario scenario, Comparison comparison, bool isJson)
    {
        if (isJson)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new { Scenario = scenario.Name, comparison.Measure, comparison.Floor, comparison.Harepd, comparison.Ratio }, Json));
            return;
        }

        output.WriteLine($"{scenario.Name}: {comparison.Measure}");
        output.WriteLine($"  {"",-18} {"n",4} {"median",8} {"p95",8} {"least",8} {"most",8}");
        if (comparison.Floor is { } floor)
        {
            output.WriteLine(Row("by hand (floor)", floor));
        }

        output.WriteLine(Row("harepd", comparison.Harepd) + (comparison.Ratio is { } ratio ? string.Create(CultureInfo.InvariantCulture, $"   {ratio:F2} x floor") : ""));
    }

    private static string Row(string side, Distribution all) => string.Create(
        CultureInfo.InvariantCulture, $"  {side,-18} {all.Count,4} {all.Median,8:F1} {all.P95,8:F1} {all.Least,8:F1} {all.Most,8:F1}");
}
