using System.Globalization;
using Harepd.Hooks;
using Harepd.Tests.Files;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Hooks;

/// <summary>Real scripts, well behaved and not.</summary>
public sealed class HookProgramTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Script(string text, string shell = "#!/bin/sh")
    {
        var path = _folder.File("hook");
        File.WriteAllText(path, $"{shell}\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static HookResult Run(string path, TimeSpan? timeout = null, Func<bool>? isEnding = null) =>
        HookProgram.Run(path, "gate-shut", [KeyValuePair.Create("HAREPD_REASON", "a \"reason\" $(id)")], timeout ?? Long, isEnding ?? (() => false));

    [Fact]
    public void It_gets_the_event_and_the_variables_and_its_output_is_kept()
    {
        var result = Run(Script("""echo "$1: $HAREPD_REASON"; echo on the other stream >&2; exit 3"""));

        Assert.Equal((3, "gate-shut: a \"reason\" $(id) on the other stream", ""), (result.ExitCode, result.Output, result.Problem));
    }

    [Fact]
    public void One_that_hangs_is_killed_with_all_that_it_started()
    {
        var result = Run(Script("echo begun; sleep 1003 & sleep 1003"), TimeSpan.FromMilliseconds(300));

        Assert.Null(result.ExitCode);
        Assert.Equal("begun", result.Output);
        Assert.Contains("did not end within 0.3 s", result.Problem, StringComparison.Ordinal);
        Eventually.True(() => !CommandLines().Any(line => line.Contains("sleep 1003", StringComparison.Ordinal)), "its children are gone");
    }

    [Fact]
    public void One_that_ignores_every_signal_it_can_is_killed_too()
    {
        var result = Run(Script("trap '' TERM INT HUP QUIT; while :; do sleep 0.1; done"), TimeSpan.FromMilliseconds(300));

        Assert.Null(result.ExitCode);
    }

    [Fact]
    public void Endless_output_is_read_and_only_its_beginning_kept()
    {
        var result = Run(Script("head -c 3000000 /dev/zero | tr '\\0' 'x'; echo; exit 0"));

        Assert.Equal(0, result.ExitCode);
        Assert.InRange(result.Output.Length, 1000, 2000);
    }

    [Fact]
    public void A_child_that_lives_on_and_keeps_the_output_open_is_not_waited_for()
    {
        var result = Run(Script("sleep 1004 & echo done"));

        Assert.Equal((0, "done"), (result.ExitCode, result.Output));
        Eventually.True(() => !Directory.GetDirectories("/proc/self/task").Any(thread => NameOf(thread) == "hook-output"), "nobody reads on");
        foreach (var pid in Processes("sleep 1004"))
        {
            Command.Run("kill", "-9", pid);
        }
    }

    [Fact]
    public void The_end_of_the_daemon_ends_it()
    {
        var result = Run(Script("sleep 1005"), isEnding: () => true);

        Assert.Null(result.ExitCode);
        Assert.Contains("the daemon ends", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void It_reads_nothing_and_does_not_see_what_is_the_daemons_own()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", "/run/nowhere");
        try
        {
            Assert.Equal("[]", Run(Script("cat; echo \"[$NOTIFY_SOCKET]\"")).Output);
        }
        finally
        {
            Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        }
    }

    [Fact]
    public void One_that_is_not_there_or_not_executable_or_has_no_interpreter_is_said()
    {
        var notExecutable = _folder.File("plain");
        File.WriteAllText(notExecutable, "echo");
        File.SetUnixFileMode(notExecutable, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        Assert.Contains("is not there", Run(_folder.File("nothing")).Problem, StringComparison.Ordinal);
        Assert.Contains("chmod +x", Run(notExecutable).Problem, StringComparison.Ordinal);
        Assert.Contains("is no file", Run(_folder.Path).Problem, StringComparison.Ordinal);
        Assert.NotEqual(0, Run(Script("exit 0", "#!/no/such/shell")).ExitCode);
    }

    private static string NameOf(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "comm")).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static IEnumerable<string> CommandLines() => Directory.EnumerateDirectories("/proc").Select(folder => CommandLine(folder));

    private static IEnumerable<string> Processes(string commandLine) =>
        Directory.EnumerateDirectories("/proc").Where(folder => CommandLine(folder) == commandLine).Select(folder => Path.GetFileName(folder)!);

    private static string CommandLine(string folder)
    {
        try
        {
            return int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _)
                ? File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ').Trim()
                : "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
