using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Xunit;

namespace Harepd.Tests.Haproxy;

/// <summary>Reloads, restarts, dead, silent and lying HAProxies, late openings, cuts from other threads.</summary>
public sealed class HaproxyFaultTests : IDisposable
{
    private readonly NamedServer _a = new("a");
    private readonly NamedServer _b = new("b");

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void A_reload_that_forgets_the_state_is_mended()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Write(1));

        haproxy.Reload();

        TestNet.Eventually(() => haproxy.Admin("wr", "b") == 1 && (haproxy.Admin("wr", "a") & 1) == 0, "the new worker has the routes");
        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public void A_restart_is_mended_whenever_it_ends()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Cut(1));

        haproxy.Stop();
        bench.Await(a => !a.Ok && a.Detail.Contains("cannot be connected", StringComparison.Ordinal));
        haproxy.Start();

        TestNet.Eventually(() => haproxy.Admin("wr", "a") == 1, "cut again");
        TestNet.Eventually(() => bench.Applied[^1].Ok, "and said so");
    }

    [Fact]
    public void A_missing_socket_is_told_once_and_tried_until_it_is_there()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        haproxy.Stop();
        using var bench = new LaneBench(haproxy.Socket);

        bench.Lane.Desire(LaneBench.Cut(1));
        Assert.Contains(haproxy.Socket, bench.Await(a => !a.Ok).Detail, StringComparison.Ordinal);
        Assert.False(bench.Lane.CutNow(LaneBench.In(0.1)).IsCut);

        haproxy.Start();
        TestNet.Eventually(() => bench.Applied[^1].Ok, "cut at last");
    }

    [Theory]
    [InlineData("I am not HAProxy\n\n", "HAProxy says: I am not")]
    [InlineData("\n\n\n\n", "without a table")]
    [InlineData("1\n# be_id be_name srv_id srv_name\n1 wr 1 a\n\n", "without names and states")]
    [InlineData("1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n1 wr 1 a 127.0.0.1 2 0\n\n", "not cut: wr/a Running")]
    [InlineData("HTTP/1.1 400 Bad request", "mid-reply")]
    [InlineData("", "without an answer")]
    public void A_nonsense_endpoint_is_a_failure_with_a_reason(string nonsense, string reason)
    {
        using var fake = new FakeEndpoint(_ => FakeEndpoint.Text(nonsense));
        using var bench = new LaneBench(fake.Path, commandTimeoutMs: 200);

        bench.Lane.Desire(LaneBench.Cut(1));

        bench.Await(a => !a.Ok && a.Detail.Contains(reason, StringComparison.Ordinal));
        Assert.False(bench.Lane.CutNow(LaneBench.In(0.1)).IsCut);
        Assert.DoesNotContain(bench.Applied, a => a.Ok);
    }

    [Fact]
    public void A_dead_or_silent_haproxy_delays_no_other()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var silent = new FakeEndpoint(_ => null);
        using var deadBench = new LaneBench(silent.Path, commandTimeoutMs: 3_000);
        using var bench = new LaneBench(haproxy.Socket);

        deadBench.Lane.Desire(LaneBench.Cut(1));
        bench.Do(LaneBench.Cut(1));

        Assert.Equal(1, haproxy.Admin("wr", "a"));
        Assert.Empty(deadBench.Applied);

        // The lane's own exchange is still waiting; a cut on another thread keeps to its own deadline.
        var answer = deadBench.Lane.CutNow(LaneBench.In(0.1));
        Assert.False(answer.IsCut);
        Assert.Contains("in time", answer.Detail, StringComparison.Ordinal);
        Assert.Empty(deadBench.Applied);
    }

    [Fact]
    public void An_opening_after_its_moment_is_not_tried()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        using var bench = new LaneBench(haproxy.Socket, lease: () => BootClock.Now);

        bench.Lane.Desire(LaneBench.Write(1));

        Assert.Contains("too late", bench.Await(a => !a.Ok).Detail, StringComparison.Ordinal);
        Assert.NotEqual("a", Caller.Ask(haproxy.Write));
        Assert.NotEqual(0, haproxy.Admin("wr", "a") & 1);
    }

    [Fact]
    public void A_late_opening_is_undone()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        var limit = LaneBench.In(1);
        var wasOpen = false;
        using var relay = FakeEndpoint.Relay(haproxy, line =>
        {
            if (line.Contains("wr/a state ready", StringComparison.Ordinal))
            {
                haproxy.Command(line);
                wasOpen = haproxy.Admin("wr", "a") == 4;
                TestNet.Eventually(() => BootClock.Now >= limit, "the lease ends before the answer comes");
            }
        });
        using var bench = new LaneBench(relay.Path, lease: () => limit);

        bench.Lane.Desire(LaneBench.Write(1));

        bench.Await(a => !a.Ok && a.Detail.Contains("cut again", StringComparison.Ordinal));
        Assert.True(wasOpen);
        TestNet.Eventually(() => haproxy.Admin("wr", "a") == 5, "cut");
    }

    [Fact]
    public void An_opening_after_its_own_limit_is_undone_and_only_repeated_under_a_live_lease()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        var limit = LaneBench.In(1);
        var lines = new List<string>();
        using var relay = FakeEndpoint.Relay(haproxy, line =>
        {
            lock (lines)
            {
                lines.Add(line);
            }

            if (line.Contains("wr/a state ready", StringComparison.Ordinal))
            {
                TestNet.Eventually(() => BootClock.Now >= limit, "the moment passes");
            }
        });
        using var bench = new LaneBench(relay.Path);

        Assert.True(bench.Do(LaneBench.Write(1, notAfter: limit)).Serving);

        bench.Await(a => a.Detail.Contains("opened too late", StringComparison.Ordinal));
        var own = lines.Where(l => l.Contains("server wr/a state", StringComparison.Ordinal)).Select(l => l.Split(';')[0]).ToList();
        Assert.Equal(["set server wr/a state ready", "set server wr/a state maint"], own.Take(2));
    }

    [Fact]
    public void An_opening_that_haproxy_carries_out_after_the_lane_gave_up_does_not_stay()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        var limit = LaneBench.In(0.5);
        using var gaveUp = new ManualResetEventSlim();
        var wasOpen = false;
        using var relay = FakeEndpoint.Relay(haproxy, line =>
        {
            if (line.Contains("wr/a state ready", StringComparison.Ordinal))
            {
                gaveUp.Wait(20_000);
                haproxy.Command(line);
                wasOpen = true;
            }
        });
        using var bench = new LaneBench(relay.Path, lease: () => limit);
        bench.Lane.Desire(LaneBench.Write(1));
        bench.Await(a => a.Detail.Contains("cut again", StringComparison.Ordinal));

        gaveUp.Set();

        TestNet.Eventually(() => wasOpen, "the late command arrives");
        TestNet.Eventually(() => haproxy.Admin("wr", "a") % 2 == 1, "and is undone");
    }

    [Fact]
    public void A_lease_that_ends_without_renewal_is_cut_by_the_lane_itself()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        var lease = LaneBench.In(1.5);
        using var bench = new LaneBench(haproxy.Socket, reconcileMs: 60_000, lease: () => lease);
        bench.Do(LaneBench.Write(1, readReady: true));

        TestNet.Eventually(() => haproxy.Admin("wr", "a") % 2 == 1, "cut at the lease's end, long before the next look");

        Assert.True(BootClock.Now >= lease);
        TestNet.Eventually(() => haproxy.Admin("rd", "a") % 2 == 1, "a primary without a lease serves no reads either");
    }

    [Fact]
    public void A_cut_from_another_thread_is_confirmed_and_latches_the_term()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Write(3, readReady: true));
        using var writer = new Caller(haproxy.Write);
        using var reader = new Caller(haproxy.Read);

        var result = bench.Lane.CutNow(LaneBench.In(5));

        Assert.True(result.IsCut, result.Detail);
        writer.WaitEnd();
        Assert.Equal((1, 1), (haproxy.Admin("wr", "a"), haproxy.Admin("rd", "a")));
        bench.Lane.Desire(LaneBench.Write(3));
        Assert.Contains("fence", bench.Await(a => a.Detail.StartsWith("refused", StringComparison.Ordinal)).Detail, StringComparison.Ordinal);
        Assert.True(bench.Do(LaneBench.Write(4)).Serving);
    }

    [Fact]
    public void A_cut_goes_to_every_haproxy_at_once_and_a_silent_one_costs_the_others_nothing()
    {
        using var first = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var second = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var silent = new FakeEndpoint(_ => null);
        using var lanes = new HaproxyLanes(new[] { silent.Path, first.Socket, second.Socket }.Select(LaneBench.Lanes));
        lanes.Start();

        var cutting = lanes.BeginCut(LaneBench.In(2));
        TestNet.Eventually(() => first.Admin("wr", "a") == 1 && second.Admin("wr", "a") == 1, "both cut");
        var result = cutting.Wait(LaneBench.In(0.2));

        Assert.False(result.IsCut);
        Assert.Contains(silent.Path, result.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(first.Socket, result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cut_that_all_confirm_is_a_cut()
    {
        using var first = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var second = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var lanes = new HaproxyLanes(new[] { first.Socket, second.Socket }.Select(LaneBench.Lanes));
        lanes.Start();
        lanes.Desire(LaneBench.Write(1));
        TestNet.Eventually(() => first.Admin("wr", "b") == 1 && second.Admin("wr", "b") == 1, "both routed");

        Assert.Equal(new CutResult(true, ""), lanes.CutNow(LaneBench.In(10)));
        Assert.Equal(new CutResult(true, ""), lanes.CutNow(LaneBench.In(10)));
    }

    [Fact]
    public void A_cut_that_meets_an_opening_in_flight_wins()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        using var openingArrived = new ManualResetEventSlim();
        using var cutArrived = new ManualResetEventSlim();
        using var relay = FakeEndpoint.Relay(haproxy, line =>
        {
            if (line.Contains("wr/a state ready", StringComparison.Ordinal))
            {
                openingArrived.Set();
                cutArrived.Wait(20_000);
                TestNet.Eventually(() => haproxy.Admin("wr", "a") % 2 == 1, "the cut went first");
            }
            else if (line.Contains("wr/a state maint", StringComparison.Ordinal))
            {
                cutArrived.Set();
            }
        });
        using var bench = new LaneBench(relay.Path, commandTimeoutMs: 20_000);
        bench.Lane.Desire(LaneBench.Write(1));
        Assert.True(openingArrived.Wait(20_000));

        var result = bench.Lane.CutNow(LaneBench.In(20));

        Assert.True(result.IsCut, result.Detail);
        Assert.Equal(1, haproxy.Admin("wr", "a") & 1);
        TestNet.Eventually(() => bench.Applied.Any(a => a.Detail.Contains("cut", StringComparison.Ordinal)), "the lane says so");
        Assert.Equal(1, haproxy.Admin("wr", "a") & 1);
    }

    [Fact]
    public void A_rival_that_cannot_be_cut_keeps_the_gate_shut()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        using var relay = FakeEndpoint.Relay(haproxy, _ => { });
        using var deaf = new FakeEndpoint(line => FakeEndpoint.Text(
            haproxy.Command(line.Replace("set server wr/b state maint", "set server wr/nobody state maint", StringComparison.Ordinal))!));
        using var bench = new LaneBench(deaf.Path);

        bench.Lane.Desire(LaneBench.Write(1));

        var applied = bench.Await(a => !a.Ok);
        Assert.Contains("not opened, a rival could not be cut", applied.Detail, StringComparison.Ordinal);
        Assert.Contains("No such server", applied.Detail, StringComparison.Ordinal);
        Assert.Equal(5, haproxy.Admin("wr", "a"));
    }

    [Fact]
    public void A_haproxy_that_thaws_after_the_lease_ends_up_cut()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        var frozen = haproxy.WorkerPid();
        var hasArrived = false;
        using var bench = new LaneBench(haproxy.Socket, commandTimeoutMs: 200, lease: () => hasArrived ? Instant.Zero : LaneBench.In(0.2));
        RealHaproxy.Signal(frozen, "STOP");

        bench.Lane.Desire(LaneBench.Write(1));
        bench.Await(a => !a.Ok);
        hasArrived = true;
        RealHaproxy.Signal(frozen, "CONT");

        TestNet.Eventually(() => bench.Applied[^1].Detail.Contains("too late", StringComparison.Ordinal), "the lane knows");
        TestNet.Eventually(() => haproxy.Admin("wr", "a") % 2 == 1, "cut");
    }

    [Fact]
    public void Sessions_of_an_old_worker_are_ended_through_the_master()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var writer = new Caller(haproxy.Write);
        using var reader = new Caller(haproxy.Read);
        haproxy.Reload();
        using var without = new LaneBench(haproxy.Socket);
        without.Do(LaneBench.Cut(1));
        Assert.True(writer.Echoes(), "the trap: the runtime socket cannot reach it");

        using var bench = new LaneBench($"unix:{haproxy.Socket},master:unix:{haproxy.Master}");
        bench.Do(LaneBench.Cut(1));

        writer.WaitEnd();
        Assert.True(reader.Echoes());
        bench.Do(LaneBench.Cut(2) with { EndReadSessions = true });
        reader.WaitEnd();
    }

    [Fact]
    public void A_writer_ends_what_old_workers_still_send_to_others()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        using var rival = new Caller(haproxy.Write);
        Assert.Equal("b", rival.Server);
        haproxy.Reload();
        using var bench = new LaneBench($"unix:{haproxy.Socket},master:unix:{haproxy.Master}");

        bench.Do(LaneBench.Write(1));
        using var own = new Caller(haproxy.Write);
        haproxy.Reload();
        TestNet.Eventually(() => haproxy.Admin("wr", "b") == 1, "mended");

        rival.WaitEnd();
        Assert.True(own.Echoes());
    }

    [Fact]
    public void The_master_socket_alone_is_enough()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        using var bench = new LaneBench($"master:{haproxy.Master}");

        bench.Do(LaneBench.Write(1));

        Assert.Equal("a", Caller.Ask(haproxy.Write));
        Assert.True(bench.Lane.CutNow(LaneBench.In(5)).IsCut);
        Assert.Null(Caller.Ask(haproxy.Write));
    }
}
