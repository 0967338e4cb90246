using Harepd.Clock;
using Harepd.Config;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Postgres.Hba;
using Harepd.Runtime;
using Harepd.Tests.Cli;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>A process whose thread pool does nothing any more still shuts its server. Among the tests that run beside nothing else, for it takes the pool from all.</summary>
[Collection(LiveTests.Name)]
public sealed class StarvedPoolTests : IDisposable
{
    private static readonly Term _term = new(7);
    private readonly DataNode _node = new("127.30.6.1");
    private readonly FenceParty _fence;
    private readonly Steering _steering;
    private readonly NpgsqlConnection _client;

    public StarvedPoolTests()
    {
        _node.Server.WriteHba("local all all trust\nhost all all 127.0.0.0/8 trust\n");
        _node.Server.Query("create role app login; select pg_reload_conf()");
        var config = Assert.IsType<ConfigResult.Valid>(ConfigReader.Read(_node.ConfigFile, DaemonMode.ClientOnly)).Config;
        _steering = new Steering(config, () => Instant.Zero, NullLogger.Instance, keeps: false);
        _fence = new FenceParty(config, _steering);
        _fence.Rehearse(BootClock.Now + TimeSpan.FromSeconds(20));
        _client = _node.Server.Connect("app", overTcp: true);
    }

    // Generous, so that a busy machine does not turn a confirmed fence into a stopped server; the fence itself does not wait for it.
    private static Instant Soon => BootClock.Now + TimeSpan.FromSeconds(15);

    public void Dispose()
    {
        _client.Dispose();
        _fence.Dispose();
        _steering.Dispose();
        _node.Dispose();
    }

    [Fact]
    public void The_watchdog_fences_without_the_pool()
    {
        using var isFenced = new ManualResetEventSlim();
        var isConfirmed = false;
        using var watchdog = new LeaseWatchdog(
            (term, deadline) => isConfirmed = _fence.Fence(term, deadline, mayStop: true, "test").IsConfirmed,
            _ => isFenced.Set(),
            TimeSpan.FromMilliseconds(10));

        var isStarved = WhileThePoolIsStarved(() =>
        {
            watchdog.Arm(new Effect.ArmWatchdog(_term, BootClock.Now + TimeSpan.FromMilliseconds(50), Soon));
            Assert.True(isFenced.Wait(TimeSpan.FromSeconds(20)), "the watchdog fences");
        });

        AssertShut(isConfirmed, isStarved);
    }

    [Fact]
    public void The_gates_lane_fences_without_the_pool()
    {
        using var isAnswered = new ManualResetEventSlim();
        Input? answer = null;
        using var lane = new GateLane(
            () => _fence.Door,
            () => Instant.Forever,
            () => false,
            input =>
            {
                answer = input;
                isAnswered.Set();
                return true;
            },
            () => { });

        var isStarved = WhileThePoolIsStarved(() =>
        {
            lane.Enqueue(new Effect.CloseGate(1, Gate.Fenced, _term, Soon, MayStop: true, "test"));
            Assert.True(isAnswered.Wait(TimeSpan.FromSeconds(20)), "the lane answers");
        });

        AssertShut(Assert.IsType<Input.GateApplied>(answer).IsConfirmed, isStarved);
    }

    private void AssertShut(bool isConfirmed, bool wasStarved)
    {
        Assert.True(isConfirmed);
        Assert.True(wasStarved, "nothing that was given to the pool meanwhile was done");
        Assert.Equal(Gate.Fenced, HbaBlockCut.Of(_node.Hba).Marker?.Gate);
        Assert.ThrowsAny<NpgsqlException>(() => new NpgsqlCommand("select 1", _client).ExecuteScalar());
    }

    /// <summary>Every thread that the pool may have waits for us meanwhile. True when work that was queued before was not begun until the end.</summary>
    private static bool WhileThePoolIsStarved(Action act)
    {
        ThreadPool.GetMaxThreads(out var most, out var mostIo);
        ThreadPool.GetMinThreads(out var least, out var leastIo);
        var threads = Math.Max(Environment.ProcessorCount, ThreadPool.ThreadCount);
        using var release = new ManualResetEventSlim();
        using var gone = new CountdownEvent(threads);
        var begun = 0;
        Assert.True(ThreadPool.SetMinThreads(Environment.ProcessorCount, leastIo) && ThreadPool.SetMaxThreads(threads, mostIo) && ThreadPool.SetMinThreads(threads, leastIo));
        try
        {
            for (var i = 0; i < threads; i++)
            {
                ThreadPool.UnsafeQueueUserWorkItem(
                    _ =>
                    {
                        Interlocked.Increment(ref begun);
                        release.Wait();
                        gone.Signal();
                    },
                    null);
            }

            // The test itself and its runner sit on some of them: until no more of ours are begun.
            for (var before = -1; before != Volatile.Read(ref begun); Thread.Sleep(500))
            {
                before = Volatile.Read(ref begun);
            }

            Assert.NotEqual(0, begun);
            var isDone = false;
            ThreadPool.UnsafeQueueUserWorkItem(_ => Volatile.Write(ref isDone, true), null);
            act();
            return !Volatile.Read(ref isDone);
        }
        finally
        {
            release.Set();
            Assert.True(gone.Wait(TimeSpan.FromSeconds(20)));
            ThreadPool.SetMaxThreads(most, mostIo);
            ThreadPool.SetMinThreads(least, leastIo);
        }
    }
}
