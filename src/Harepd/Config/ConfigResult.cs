using System.Collections.Immutable;

namespace Harepd.Config;

/// <summary>What reading a configuration came to: a whole configuration, or everything that is wrong with it.</summary>
internal abstract record ConfigResult
{
    private ConfigResult()
    {
    }

    /// <summary>A valid configuration.</summary>
    /// <param name="Config">Every value within its limits.</param>
    /// <param name="Notes">Valid, yet worth a look: one sentence each, for the log and <c>harepd check</c>.</param>
    internal sealed record Valid(HarepdConfig Config, ImmutableArray<string> Notes) : ConfigResult;

    /// <summary>At least one error, in the order of the file; exit code 78.</summary>
    internal sealed record Invalid(ImmutableArray<ConfigError> Errors) : ConfigResult;
}
