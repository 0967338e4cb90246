namespace Harepd.Bench.Steering;

/// <summary>One thing that the daemon does to clients, measured beside the same steps done by hand on the same servers in the same run.</summary>
internal interface IScenario
{
    /// <summary>Its name on the command line and in the results.</summary>
    string Name { get; }

    /// <summary>Measures both sides, in turns, as often as the options say; tells its progress by <see cref="SteeringLab.Tell"/>.</summary>
    Task<IReadOnlyList<Comparison>> RunAsync(SteeringLab lab, BenchOptions options);
}
