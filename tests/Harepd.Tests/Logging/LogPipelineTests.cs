using System.Text.Json;
using Harepd.Config;
using Harepd.Logging;
using Harepd.Tests.Files;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Harepd.Tests.Logging;

public sealed class LogPipelineTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();

    private string LogPath => Path.Combine(_folder.Path, "logs", "harepd.log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_event_becomes_one_line_of_json_with_its_values()
    {
        await using (var log = Start(LogPath))
        {
            var logger = log.Factory.CreateLogger("Harepd.Runtime");
            logger.KeyReloaded("allowRO", "false", "tr\"ue\nmore");
            logger.LogError(new InvalidOperationException("boom"), "term {Term}, level {Level}", 42L, "x");
        }

        var lines = File.ReadAllLines(LogPath).Select(line => JsonDocument.Parse(line).RootElement).ToList();

        Assert.Equal(2, lines.Count);
        Assert.Equal(("info", "KeyReloaded", "Harepd.Runtime"), (Text(lines[0], "level"), Text(lines[0], "name"), Text(lines[0], "source")));
        Assert.Equal(9010, lines[0].GetProperty("event").GetInt32());
        Assert.Equal("tr\"ue\nmore", Text(lines[0], "to"));
        Assert.True(DateTimeOffset.UtcNow - lines[0].GetProperty("time").GetDateTimeOffset() < Patience);
        Assert.Equal(("error", 42, "x"), (Text(lines[1], "level"), lines[1].GetProperty("term").GetInt64(), Text(lines[1], "level_")));
        Assert.Contains("boom", Text(lines[1], "exception"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Debug_events_need_verbose()
    {
        await using (var log = Start(LogPath))
        {
            log.Factory.CreateLogger("a").LogDebug("hidden");
            log.Factory.CreateLogger("Microsoft.AspNetCore").LogInformation("hidden too");
            log.Factory.CreateLogger("a").LogInformation("shown");
        }

        Assert.Single(File.ReadAllLines(LogPath));
    }

    [Fact]
    public async Task A_frozen_disk_does_not_stall_the_caller_and_the_loss_is_said()
    {
        // A FIFO without a reader freezes whoever opens it, as a dead NFS server or a stuck device would.
        var fifo = Path.Combine(_folder.Path, "fifo.log");
        Command.Run("mkfifo", fifo);
        await using var log = Start(fifo);
        var logger = log.Factory.CreateLogger("a");

        for (var i = 0; i < 10_000; i++)
        {
            logger.LogInformation("event {Number}", i);
        }

        Assert.InRange(log.Dropped, 5_000, 10_000);
        using var reader = new StreamReader(new FileStream(fifo, FileMode.Open, FileAccess.Read));
        await Until(async () => (await reader.ReadLineAsync())!.Contains("log events are lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_disk_that_refuses_loses_lines_and_not_the_daemon()
    {
        await using var log = Start("/dev/full");

        log.Factory.CreateLogger("a").LogInformation("nowhere to go");

        await Until(() => Task.FromResult(log.Dropped == 1));
    }

    [Fact]
    public async Task A_log_folder_that_comes_later_is_used_and_the_loss_is_said()
    {
        var folder = Path.GetDirectoryName(LogPath)!;
        File.WriteAllText(folder, "a file where the folder should be");
        await using (var log = Start(LogPath))
        {
            log.Factory.CreateLogger("a").LogInformation("lost");
            await Until(() => Task.FromResult(log.Dropped == 1));
            File.Delete(folder);
            log.Factory.CreateLogger("a").LogInformation("kept");
        }

        var lines = File.ReadAllLines(LogPath);
        Assert.Contains("kept", lines[0], StringComparison.Ordinal);
        Assert.Equal(1, JsonDocument.Parse(lines[1]).RootElement.GetProperty("lost").GetInt32());
    }

    [Fact]
    public async Task Closing_gives_up_on_a_frozen_disk()
    {
        var fifo = Path.Combine(_folder.Path, "fifo.log");
        Command.Run("mkfifo", fifo);
        var log = Start(fifo);
        log.Factory.CreateLogger("a").LogInformation("never read");

        await log.DisposeAsync().AsTask().WaitAsync(Patience);
    }

    private static LogPipeline Start(string path) =>
        LogPipeline.Start(new LogsConfig(path, TimeSpan.FromDays(1), TimeSpan.FromDays(1)), ConsoleStyle.Silent);

    private static string Text(JsonElement line, string property) => line.GetProperty(property).GetString()!;

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition().WaitAsync(patience.Token))
        {
            await Task.Delay(5, patience.Token);
        }
    }
}
