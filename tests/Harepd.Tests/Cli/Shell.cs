using Harepd.Cli;

namespace Harepd.Tests.Cli;

/// <summary>What a command answered, run inside the test process as Main runs it.</summary>
internal sealed record Answer(int ExitCode, string Output, string Error);

/// <summary>Runs command lines.</summary>
internal static class Shell
{
    public static async Task<Answer> RunAsync(params string[] args)
    {
        using var signals = new HostSignals();
        var output = new StringWriter();
        var error = new StringWriter();
        var exitCode = await CommandLine.RunAsync(args, signals, output, error).WaitAsync(TimeSpan.FromSeconds(60));
        return new Answer(exitCode, output.ToString(), error.ToString());
    }
}
