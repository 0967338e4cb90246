using System.Globalization;
using Harepd.Cli;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.History;
using Harepd.Tests.Config;
using Xunit;

namespace Harepd.Tests.Cli;

/// <summary><c>harepd history</c> without a daemon.</summary>
public sealed class HistoryCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-history-").FullName;
    private readonly TemporaryConfig _config;

    public HistoryCommandTests() => _config = new TemporaryConfig(
        $"harepd:\n  gRPC: {{ bindAddress: 127.20.0.3, neighbours: [\"127.20.0.1:10000\", \"127.20.0.2:10000\"] }}\n  stateDir: {_folder}\n");

    public void Dispose()
    {
        _config.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Task<Answer> RunAsync(params string[] more) => Shell.RunAsync(["history", "-f", _config.File, .. more]);

    private void Write(params int[] hoursAgo)
    {
        using var file = new HistoryFile(_folder, HistoryFile.NodeStem);
        foreach (var hours in hoursAgo)
        {
            var decision = new Decision(DecisionKind.Paused, new Term(7), "", "", $"[{hours} hours ago]") { Took = TimeSpan.FromMilliseconds(12.5) };
            file.Append([.. HistoryLine.Of("node_1", DateTime.UtcNow.AddHours(-hours), decision).ToJson(), (byte)'\n']);
        }
    }

    [Fact]
    public async Task Nothing_noted_is_said()
    {
        Assert.Equal(new Answer(ExitCodes.Ok, "nothing is noted\n", ""), await RunAsync());
    }

    [Fact]
    public async Task A_table_shows_the_last_ones_within_the_time_that_is_asked_for()
    {
        Write(50, 20, 3, 2);

        var answer = await RunAsync("--since", "24h", "--last", "2");

        Assert.Equal((ExitCodes.Ok, ""), (answer.ExitCode, answer.Error));
        Assert.Contains("12.5 ms", answer.Output, StringComparison.Ordinal);
        Assert.Equal([false, false, true, true], new[] { 50, 20, 3, 2 }.Select(hours => answer.Output.Contains(string.Create(CultureInfo.InvariantCulture, $"[{hours} hours"), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Json_is_the_file_again()
    {
        Write(2, 1);

        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(_folder, "history.jsonl")), (await RunAsync("--json")).Output);
    }

    [Fact]
    public async Task Members_that_do_not_answer_are_named_and_the_rest_is_shown()
    {
        Write(1);

        var answer = await RunAsync("--cluster");

        Assert.Equal(ExitCodes.Ok, answer.ExitCode);
        Assert.Contains("127.20.0.2:10000 does not tell its history", answer.Error, StringComparison.Ordinal);
        Assert.Contains("Paused", answer.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--since", "yesterday")]
    [InlineData("--last", "-1")]
    public async Task A_wrong_span_or_number_is_wrong_usage(params string[] more)
    {
        Assert.Equal(ExitCodes.Usage, (await RunAsync(more)).ExitCode);
    }
}
