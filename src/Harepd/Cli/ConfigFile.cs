using System.Collections.Immutable;
using System.CommandLine;
using Harepd.Config;

namespace Harepd.Cli;

/// <summary>Reads the file of <c>-f</c> for a command, and says what is wrong with it.</summary>
internal static class ConfigFile
{
    /// <summary>The configuration and its notes; or null after the errors were written, and then the exit code.</summary>
    public static ConfigResult.Valid? Read(ParseResult parsed, Option<string?> file, DaemonMode mode, out int exitCode)
    {
        var error = parsed.InvocationConfiguration.Error;
        if (parsed.GetValue(file) is not { Length: > 0 } path)
        {
            exitCode = Missing(parsed);
            return null;
        }

        switch (ConfigReader.Read(path, mode))
        {
            case ConfigResult.Valid valid:
                exitCode = ExitCodes.Ok;
                return valid;
            case ConfigResult.Invalid invalid:
                Write(invalid.Errors, error);
                exitCode = ExitCodes.Config;
                return null;
            default:
                throw new InvalidOperationException("a configuration is valid or invalid");
        }
    }

    /// <summary>Says that the file is not named, which is a fault of the command line.</summary>
    public static int Missing(ParseResult parsed)
    {
        parsed.InvocationConfiguration.Error.WriteLine("Option '-f FILE' is required.");
        return ExitCodes.Usage;
    }

    /// <summary>Every error with its mend, and how many there are.</summary>
    public static void Write(ImmutableArray<ConfigError> errors, TextWriter output)
    {
        foreach (var error in errors)
        {
            output.WriteLine(error.ToString());
        }

        output.WriteLine($"{(errors.Length == 1 ? "1 error" : $"{errors.Length} errors")} in the configuration; nothing was touched.");
    }
}
