using System.Collections.Concurrent;
using Harepd.Core.Observe;
using Harepd.Postgres;
using Harepd.Postgres.Watch;
using Harepd.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Watch;

/// <summary>A running watcher and everything it said.</summary>
internal sealed class WatchRecord : IDisposable
{
    private readonly ConcurrentQueue<ServerObservation> _seen = new();
    private readonly ConcurrentQueue<string> _deaths = new();

    public WatchRecord(PostgresSettings settings)
    {
        Watcher = new PostgresWatcher(settings, _seen.Enqueue, _deaths.Enqueue, NullLogger.Instance);
        Watcher.Start();
    }

    public PostgresWatcher Watcher { get; }

    public IReadOnlyList<ServerObservation> Seen => [.. _seen];

    public IReadOnlyList<string> Deaths => [.. _deaths];

    public ServerObservation? Last => _seen.LastOrDefault();

    /// <summary>Short rhythms, and patience with a busy machine.</summary>
    public static PostgresSettings SettingsOf(TestServer server) => new()
    {
        Host = server.Folder,
        Port = server.Port,
        User = "postgres",
        DataDirectory = server.DataDirectory,
        HbaPath = server.HbaPath,
        CalmInterval = TimeSpan.FromMilliseconds(50),
        FreshConnectionInterval = TimeSpan.FromMilliseconds(200),
        WriteProbeInterval = TimeSpan.FromMilliseconds(200),
        HangTimeout = TimeSpan.FromSeconds(3),
    };

    public static WatchRecord Of(TestServer server) => new(SettingsOf(server));

    /// <summary>Waits for an observation that came after the ones there are now.</summary>
    public ServerObservation Next(Func<ServerObservation, bool> condition, string what)
    {
        var before = _seen.Count;
        Eventually.True(() => _seen.Skip(before).Any(condition), $"{what}; last: {Last}");
        return _seen.Skip(before).First(condition);
    }

    /// <summary>Waits until an observation of that health is the latest.</summary>
    public ServerObservation Until(ServerHealth health)
    {
        Eventually.True(() => Last?.Health == health, $"{health} is seen; last: {Last}");
        return _seen.Last(seen => seen.Health == health);
    }

    public void UntilDeaths(int count)
    {
        Eventually.True(() => _deaths.Count >= count, "the death is reported");
        Assert.Equal(count, _deaths.Count);
    }

    public void Dispose() => Watcher.Dispose();
}
