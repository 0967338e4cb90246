using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Harepd.Cli;

/// <summary><c>harepd version</c>.</summary>
internal static class VersionCommand
{
    /// <summary>The version of this build, such as <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static Command Build(Manual manual)
    {
        var command = new Command("version", "Print the version of this program and of its runtime.");
        manual.Add(command, """
            Example:
              harepd version
            """);
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.WriteLine(
                $"harepd {Version} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})");
            return ExitCodes.Ok;
        });
        return command;
    }
}
