using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Postgres.Fencing;
using Harepd.Postgres.Hba;
using Harepd.Tests.Files;
using Harepd.Tests.Hba;
using Harepd.Tests.Watch;
using Xunit;

namespace Harepd.Tests.Postgres;

/// <summary>A server on a disk that takes writes and never ends them. Needs a loop device; a container without one cannot show it.</summary>
public sealed class FrozenDiskTests : IDisposable
{
    private readonly TestServer _server = TestServer.Create("127.30.5.1");
    private FreezableDisk? _disk;

    public void Dispose()
    {
        _disk?.Thaw();
        _server.EndProcesses();
        _disk?.Dispose();
        _server.Dispose();
    }

    [LoopDiskFact]
    public void The_watch_says_that_the_server_cannot_write_and_that_it_can_again()
    {
        StartOnOwnDisk();
        using var record = new WatchRecord(WatchRecord.SettingsOf(_server) with { HangTimeout = TimeSpan.FromMilliseconds(500) });
        record.Until(ServerHealth.Running);

        _disk!.Freeze();
        record.Next(seen => seen is { Health: ServerHealth.CannotWrite, InRecovery: false }, "a write that does not come back");

        _disk.Thaw();
        record.Until(ServerHealth.Running);
    }

    [LoopDiskFact]
    public void A_fence_does_not_wait_for_the_disk()
    {
        StartOnOwnDisk();
        var settings = WatchRecord.SettingsOf(_server);
        using var gate = new HbaGate(settings, HbaSamples.Policy);
        using var fencer = new Fencer(settings, gate, new FenceSettings());
        fencer.Rehearse(Clock.BootClock.Now + TimeSpan.FromSeconds(20));
        using var client = _server.Connect(overTcp: true);
        _disk!.Freeze();

        var result = fencer.Fence(new Term(3), Clock.BootClock.Now + TimeSpan.FromSeconds(1.5), "test");

        // The gate cannot be written, so only the end of the server is a fence; where the disk holds its processes too, the fence says that it failed.
        Assert.NotEqual(PostmasterStop.None, result.Stop);
        Assert.Equal(result.Stop != PostmasterStop.Failed, result.IsConfirmed);
        Assert.ThrowsAny<Npgsql.NpgsqlException>(() => new Npgsql.NpgsqlCommand("select 1", client).ExecuteScalar());

        _disk.Thaw();
        Eventually.True(() => !_server.OwnProcesses().Any(), "whoever the disk held has ended");
    }

    private void StartOnOwnDisk()
    {
        _server.MoveDataOnto(folder => _disk = FreezableDisk.Under(folder));
        Command.Run("chown", "postgres:postgres", _server.DataDirectory);
        Command.Run("chmod", "0700", _server.DataDirectory);
        _server.Start();
    }
}
