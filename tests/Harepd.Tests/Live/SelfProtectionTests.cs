using System.Globalization;
using Harepd.Core.Model;
using Harepd.Guard;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Harepd.Tests.Files;
using Harepd.Tests.Live.Machines;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>
/// What breaks under a daemon must not delay its fence. The primary's daemon loses the majority while something that it leans on hangs; its
/// server takes no write that was begun after the lease.
/// </summary>
[Collection(LiveTests.Name)]
public sealed class SelfProtectionTests(NamedCluster named) : IClassFixture<NamedCluster>
{
    [Fact]
    public async Task A_fence_does_not_wait_for_a_name_server()
    {
        var stage = await named.ReadyAsync();
        var names = stage.Cluster.Names!;
        try
        {
            await FencesInTimeAsync(stage, "name server silent", () =>
            {
                names.Forget();
                return Task.CompletedTask;
            });
            // Its connections to the others broke, so it asked for their names; nobody answered.
            Assert.NotEqual(0, names.Questions);
        }
        finally
        {
            names.Remember();
        }

        await ServesAgainAsync(stage);
    }

    [LoopDiskFact]
    public async Task A_fence_does_not_wait_for_the_disk_of_the_log()
    {
        var stage = await named.ReadyAsync();
        var (cluster, primary, standby) = stage;
        var folder = cluster.Lab.MakeFolder("logs");
        using var disk = FreezableDisk.Under(folder);
        Command.Run("chown", "postgres:postgres", folder);
        await cluster.DaemonOf(primary).StopAsync();
        var keys = cluster.DataNodeKeys(primary, standby);
        keys["logs.filePath"] = $"\"{folder}/harepd.jsonl\"";
        var daemon = cluster.ExtraDaemon(primary, keys);
        // The console too: journald may be the one that hangs.
        daemon.Wrapper = [.. daemon.Wrapper, "sh", "-c", $"exec \"$@\" >>{folder}/console 2>&1", "sh"];
        try
        {
            daemon.Start();
            await cluster.WaitForServingAsync(primary);
            await FencesInTimeAsync(stage, "disk of the log frozen", () =>
            {
                disk.Freeze();
                return Task.CompletedTask;
            });
        }
        finally
        {
            disk.Thaw();
            await daemon.StopAsync();
            await daemon.KillAsync();
        }

        cluster.DaemonOf(primary).Start();
        await ServesAgainAsync(stage);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fence_needs_no_memory_that_is_not_there_yet(bool isGuardShortToo)
    {
        var stage = await named.ReadyAsync();
        var (cluster, primary, _) = stage;
        await cluster.WaitForGuardAsync(primary);
        var guard = GuardOf(stage);
        ProcessIdentity[] starved = isGuardShortToo ? [cluster.DaemonOf(primary).Identity!.Value, guard] : [cluster.DaemonOf(primary).Identity!.Value];
        await FencesInTimeAsync(stage, isGuardShortToo ? "no memory for daemon and guard" : "no memory for the daemon", async () =>
        {
            // Not a byte more of address space than they have: no thread, no buffer, no file mapped.
            foreach (var process in starved)
            {
                await Proc.MustRunAsync(cluster.Lab, new ProcSpec("prlimit", "/usr/bin/prlimit", "--pid", $"{process.Pid}", $"--as={SizeOf(process.Pid)}"));
            }
        });
        await cluster.DaemonOf(primary).KillAsync();
        cluster.DaemonOf(primary).Start();
        await ServesAgainAsync(stage);

        // A guard that was killed is believed in for a second, and the next run is to find one that lives.
        guard.Send(Signal.Kill);
        await Wait.UntilAsync(() => GuardPidOf(stage) is var pid && pid != guard.Pid && ProcessIdentity.Of(pid) is { IsAlive: true }, "another guard", detail: cluster.Describe);
    }

    /// <summary>HAREPD_ROUNDS repeats it, for figures.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task A_fence_is_in_time_beside_processes_that_want_every_core(int hogs)
    {
        for (var rounds = int.Parse(Environment.GetEnvironmentVariable("HAREPD_ROUNDS") ?? "1", CultureInfo.InvariantCulture); rounds > 0; rounds--)
        {
            var stage = await named.ReadyAsync();
            var stress = hogs == 0 ? null : Proc.Start(stage.Cluster.Lab, new ProcSpec("stress", "/usr/bin/stress-ng", "--cpu", $"{hogs}", "--timeout", "120"));
            try
            {
                await FencesInTimeAsync(stage, hogs == 0 ? "nothing else" : $"stress-ng --cpu {hogs}", () => Task.CompletedTask);
            }
            finally
            {
                await (stress?.StopAsync(Signal.Terminate) ?? Task.FromResult(true));
            }

            await ServesAgainAsync(stage);
        }
    }

    private static async Task FencesInTimeAsync(Stage stage, string what, Func<Task> injectAsync)
    {
        var (cluster, primary, standby) = stage;
        await primary.Server.ExecuteAsync("TRUNCATE lab_writes", "app", "app");
        await using var pool = cluster.WriteThroughHaproxy(new WriterOptions { Clients = 4, Rate = 200 });
        await using var straight = LabCluster.WriteDirectly(primary, new WriterOptions { Clients = 2, Rate = 100, RetryPause = TimeSpan.FromMilliseconds(50) });
        await pool.FirstAfterAsync(LabClock.Now);
        await straight.FirstAfterAsync(LabClock.Now);
        await injectAsync();
        cluster.DaemonOf(cluster.Repmgr.Witness).Freeze();
        await cluster.DaemonOf(standby).KillAsync();
        // A renewal that was on its way is through by then, and the next one cannot be.
        await Task.Delay(TimeSpan.FromSeconds(1));
        using var page = GuardPage.Open(cluster.RunFolderOf(primary));
        Assert.True(page.TryRead(out var lease) && lease.IsArmed);

        await Wait.UntilAsync(
            () => (!primary.Server.IsRunning || GateOnDisk.Of(primary.Server) == Gate.Fenced) && LabClock.Now - LastWrite(pool, straight).Begin > TimeSpan.FromMilliseconds(500),
            $"{primary.Name} to be shut: {what}",
            detail: cluster.Describe);
        await pool.StopAsync();
        await straight.StopAsync();

        var last = LastWrite(pool, straight);
        SelfProtectionFigures.Keep(what, last.End - lease.FenceAt, lease.Deadline - lease.FenceAt, !primary.Server.IsRunning);
        Assert.True(last.Begin < lease.Deadline, $"{what}: a write begun {(last.Begin - lease.Deadline).TotalMilliseconds:0} ms after the lease was acknowledged\n{cluster.Describe()}");
    }

    private static async Task ServesAgainAsync(Stage stage)
    {
        var (cluster, primary, standby) = stage;
        cluster.DaemonOf(cluster.Repmgr.Witness).Thaw();
        cluster.DaemonOf(standby).Start();
        if (!primary.Server.IsRunning)
        {
            await primary.Server.WaitForEndAsync();
            await primary.Server.StartAsync();
        }

        await cluster.WaitForServingAsync(primary);
    }

    private static WriteAttempt LastWrite(params Writer[] writers) =>
        writers.SelectMany(writer => writer.Attempts).Where(attempt => attempt.IsAcknowledged).MaxBy(attempt => attempt.Begin)!;

    private static ProcessIdentity GuardOf(Stage stage) => ProcessIdentity.Of(GuardPidOf(stage))!.Value;

    private static int GuardPidOf(Stage stage)
    {
        using var page = GuardPage.Open(stage.Cluster.RunFolderOf(stage.Primary));
        return page.GuardPid;
    }

    private static long SizeOf(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmSize:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}

/// <summary>A cluster whose members call each other by name.</summary>
public sealed class NamedCluster : IAsyncLifetime
{
    private readonly MendedCluster cluster = new(new LabClusterOptions { Names = true });

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => cluster.EndAsync();

    /// <summary>A cluster whose primary is served by HAProxy, whose standby streams, and whose daemons all run.</summary>
    internal Task<Stage> ReadyAsync() => cluster.ReadyAsync();
}
