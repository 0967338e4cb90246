using Harepd.Cli;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Runtime;
using Harepd.Tests.Config;
using Xunit;

namespace Harepd.Tests.Cli;

public sealed class TimelineCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-timeline-").FullName;
    private readonly TemporaryConfig _config;

    public TimelineCommandTests() => _config = new TemporaryConfig(
        $"harepd:\n  gRPC: {{ bindAddress: 127.20.0.3, neighbours: [\"127.20.0.1:10000\", \"127.20.0.2:10000\"] }}\n  stateDir: {_folder}\n");

    public void Dispose()
    {
        _config.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Task<Answer> RunAsync(params string[] more) => Shell.RunAsync(["timeline", "-f", _config.File, .. more]);

    [Fact]
    public async Task Looking_changes_nothing()
    {
        var answer = await RunAsync();

        Assert.Equal((ExitCodes.Ok, "no timeline is noted\n"), (answer.ExitCode, answer.Output));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task An_operators_word_counts_for_one_start()
    {
        Assert.Equal(ExitCodes.Ok, (await RunAsync("--trust")).ExitCode);

        Assert.True(TimelineTrust.Take(_folder));
        Assert.False(TimelineTrust.Take(_folder));
    }

    [Fact]
    public async Task What_is_noted_is_shown_and_needs_no_trust()
    {
        using (var file = TimelineFile.Open(_folder))
        {
            Assert.True(file.TryWrite(new DurableTimeline(new SystemId(7), new TimelinePoint(3, new Lsn(0x3000148)))));
        }

        var answer = await RunAsync("--trust");

        Assert.Contains("timeline 3@0/3000148 of system 7 is noted", answer.Output, StringComparison.Ordinal);
        Assert.Contains("not needed", answer.Output, StringComparison.Ordinal);
        Assert.False(TimelineTrust.Take(_folder));
    }

    [Fact]
    public async Task A_state_folder_that_is_not_there_is_said()
    {
        Directory.Delete(_folder, recursive: true);
        var answer = await RunAsync("--trust");
        Directory.CreateDirectory(_folder);

        Assert.Equal(ExitCodes.Unavailable, answer.ExitCode);
        Assert.Contains(_folder, answer.Error, StringComparison.Ordinal);
    }
}
