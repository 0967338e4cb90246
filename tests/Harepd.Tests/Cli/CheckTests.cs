using System.Text.Json;
using Harepd.Cli;
using Harepd.Tests.Config;
using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.Cli;

public sealed class CheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_invalid_file_shows_every_error_as_json_too()
    {
        using var file = new TemporaryConfig(TemporaryConfig.Plus("watchDog: 0\nhttpp: 1"));

        var answer = await Shell.RunAsync("check", "--json", "-f", file.File);

        var json = JsonDocument.Parse(answer.Output).RootElement;
        Assert.Equal((ExitCodes.Config, false), (answer.ExitCode, json.GetProperty("valid").GetBoolean()));
        Assert.Contains(json.GetProperty("errors").EnumerateArray(), error => error.GetProperty("key").GetString() == "harepd.httpp");
        Assert.Empty(json.GetProperty("doors").EnumerateArray());
    }

    [Fact]
    public async Task The_budget_is_printed_for_people_and_machines()
    {
        using var file = Witness();

        var people = await Shell.RunAsync("check", "--server-only", "-f", file.File);
        var machines = await Shell.RunAsync("check", "--server-only", "--json", "-f", file.File);

        Assert.Contains("3.014 s", people.Output, StringComparison.Ordinal);
        var budget = JsonDocument.Parse(machines.Output).RootElement.GetProperty("budget");
        Assert.Equal(
            [1890, 2400, 3000, 3014, 3014, 2514, 3014, 3314],
            budget.EnumerateObject().Select(line => line.Value.GetDouble()));
    }

    [Fact]
    public async Task Two_members_without_a_witness_are_told_so()
    {
        using var file = new TemporaryConfig("harepd:\n  gRPC: { bindAddress: 127.20.0.1, neighbours: [\"127.20.0.2:10000\"] }\n");

        var answer = await Shell.RunAsync("check", "--server-only", "-f", file.File);

        Assert.Contains("there will be no automatic failover", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_a_shut_door()
    {
        using var file = Witness("stateDir: /dev/null/state");

        var answer = await Shell.RunAsync("check", "--server-only", "--json", "-f", file.File);

        Assert.Equal(ExitCodes.Unavailable, answer.ExitCode);
        Assert.Equal("shut", State(answer, "stateDir"));
    }

    [Fact]
    public async Task A_run_folder_on_a_disk_is_a_shut_door()
    {
        using var file = Witness("runDir: /etc");

        Assert.Equal("shut", State(await Shell.RunAsync("check", "--server-only", "--json", "-f", file.File), "runDir"));
    }

    [Fact]
    public async Task Check_makes_no_folder()
    {
        using var file = Witness($"stateDir: {_folder.Path}/state\nrunDir: {_folder.Path}/run\nlogs: {{ filePath: {_folder.Path}/log/harepd.log }}");

        await Shell.RunAsync("check", "--server-only", "-f", file.File);

        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    private static TemporaryConfig Witness(string more = "") => new(
        $"harepd:\n  gRPC: {{ bindAddress: 127.20.0.3, neighbours: [\"127.20.0.1:10000\", \"127.20.0.2:10000\"] }}\n  {more.Replace("\n", "\n  ", StringComparison.Ordinal)}\n");

    private static string? State(Answer answer, string door) => JsonDocument.Parse(answer.Output).RootElement.GetProperty("doors").EnumerateArray()
        .First(entry => entry.GetProperty("door").GetString()!.StartsWith(door, StringComparison.Ordinal)).GetProperty("state").GetString();
}
