using Harepd.Cli;
using Xunit;

namespace Harepd.Tests.Cli;

public sealed class CommandLineTests
{
    private static readonly string[] Listed = ["check", "status", "history", "switchover", "restart", "stop", "start", "failover", "accept-loss", "dataloss", "rejoin", "reinit", "pause", "resume", "maintenance", "hba", "fence", "unfence", "timeline", "guard", "init-sql", "haproxy-config", "version"];

    public static TheoryData<string> Commands() => [.. Listed];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_has_help_with_an_example(string command)
    {
        var answer = await Shell.RunAsync(command, "--help");

        Assert.Equal((ExitCodes.Ok, ""), (answer.ExitCode, answer.Error));
        Assert.Matches($"Examples?:\n  (runuser -u postgres -- )?harepd {command}", answer.Output);
    }

    [Fact]
    public async Task The_daemon_itself_has_help_with_examples_and_lists_the_commands()
    {
        var help = (await Shell.RunAsync("--help")).Output;

        Assert.Contains("Examples:\n  harepd -f /etc/harepd.yml", help, StringComparison.Ordinal);
        var commands = help.Split("Commands:\n")[1].Split("\n\n")[0].Split('\n').Select(line => line.Trim().Split(' ')[0]);
        Assert.Equal(Listed, commands);
    }

    [Theory]
    [InlineData("chek")]
    [InlineData("check", "--frobnicate")]
    [InlineData("check", "-f")]
    [InlineData("check")]
    [InlineData("hba", "-f", "x")]
    [InlineData("hba", "-f", "x", "--gate", "open")]
    [InlineData("stop", "-f", "x", "--accept-outage")]
    [InlineData("stop", "-f", "x", "--for", "5m")]
    [InlineData("start", "-f", "x", "--timeout", "1h")]
    [InlineData("maintenance", "-f", "x")]
    [InlineData("maintenance", "-f", "x", "--for", "1h", "--off")]
    [InlineData("maintenance", "-f", "x", "--for", "8d")]
    [InlineData("-f", "x", "--server-only", "--client-only")]
    [InlineData("-f", "x", "--server-only", "--once")]
    [InlineData]
    public async Task Wrong_usage_is_64_and_says_why_on_the_error_stream(params string[] args)
    {
        var answer = await Shell.RunAsync(args);

        Assert.Equal((ExitCodes.Usage, ""), (answer.ExitCode, answer.Output));
        Assert.NotEmpty(answer.Error);
    }

    [Theory]
    [InlineData("-f")]
    [InlineData("--file")]
    public async Task A_wrong_configuration_is_78_before_anything_starts(string option)
    {
        var answer = await Shell.RunAsync(option, "/nowhere/harepd.yml");

        Assert.Equal(ExitCodes.Config, answer.ExitCode);
        Assert.StartsWith("/nowhere/harepd.yml: cannot be read", answer.Error, StringComparison.Ordinal);
        Assert.EndsWith("nothing was touched.\n", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_names_program_and_runtime()
    {
        Assert.Matches(@"^harepd [0-9.]+ \(\.NET 1[0-9]", (await Shell.RunAsync("version")).Output);
    }

    [Fact]
    public void A_stop_and_several_reloads_are_remembered()
    {
        using var signals = new HostSignals();

        signals.AskToReload();
        signals.AskToReload();
        signals.AskToStop();

        Assert.True(signals.Stop.IsCancellationRequested);
        Assert.True(signals.Reloads.TryRead(out _));
        Assert.False(signals.Reloads.TryRead(out _));
    }
}
