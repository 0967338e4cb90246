using Harepd.Bench.Steering;

namespace Harepd.Bench;

/// <summary>The command line of the benchmarks.</summary>
internal sealed record BenchOptions
{
    private const int MostRounds = 1000;

    /// <summary>How it is called.</summary>
    public static string Usage =>
        $"""
        usage: bench [core | steering [SCENARIO]...] [--rounds N] [--three-data-nodes] [--json] [--trace]
          core                 what a decision costs, without servers
          steering [SCENARIO]  real servers, each figure beside its floor in the same run; scenarios: {string.Join(", ", SteeringBench.Scenarios.Select(one => one.Name))}
          --rounds N           how often each side is measured (default 20)
          --three-data-nodes   of move: a second standby instead of the witness
          --json               one JSON object a line on standard output
          --trace              what the new primary's daemon decided in each round, in milliseconds after the request
        """;

    /// <summary><c>core</c>, <c>steering</c>, or empty for both.</summary>
    public string Suite { get; private init; } = "";

    /// <summary>Names of scenarios; empty: all.</summary>
    public IReadOnlyList<string> Only { get; private init; } = [];

    public int Rounds { get; private init; } = 20;

    /// <summary>A second standby instead of the witness, where a scenario has a choice.</summary>
    public bool ThreeDataNodes { get; private init; }

    public bool Json { get; private init; }

    public bool Trace { get; private init; }

    /// <summary>Null when the arguments cannot be read.</summary>
    public static BenchOptions? Parse(string[] arguments)
    {
        var options = new BenchOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "core" or "steering" when i == 0:
                    options = options with { Suite = arguments[i] };
                    break;
                case "--three-data-nodes":
                    options = options with { ThreeDataNodes = true };
                    break;
                case "--json":
                    options = options with { Json = true };
                    break;
                case "--trace":
                    options = options with { Trace = true };
                    break;
                case "--rounds" when i + 1 < arguments.Length && int.TryParse(arguments[i + 1], out var rounds) && rounds is > 0 and <= MostRounds:
                    options = options with { Rounds = rounds };
                    i++;
                    break;
                case var name when options.Suite == "steering" && SteeringBench.Scenarios.Any(one => one.Name == name):
                    options = options with { Only = [.. options.Only, name] };
                    break;
                default:
                    return null;
            }
        }

        return options;
    }
}
