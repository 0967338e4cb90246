using System.Collections.Immutable;
using Harepd.Config;

namespace Harepd.Cli.Check;

/// <summary>Everything <c>check</c> found out, before it is written for people or machines.</summary>
/// <param name="File">The file as it was named.</param>
/// <param name="Config">Null when it is not valid.</param>
/// <param name="Errors">Empty when it is valid.</param>
/// <param name="Notes">Valid, yet worth a look.</param>
/// <param name="Doors">Empty when the file is not valid: nothing is tried with half a configuration.</param>
internal sealed record CheckReport(
    string File,
    HarepdConfig? Config,
    ImmutableArray<ConfigError> Errors,
    ImmutableArray<string> Notes,
    ImmutableArray<DoorAnswer> Doors)
{
    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode => Config is null ? ExitCodes.Config
        : Doors.Any(door => door.State == DoorState.Shut) ? ExitCodes.Unavailable
        : ExitCodes.Ok;
}
