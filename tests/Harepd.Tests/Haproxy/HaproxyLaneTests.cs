using System.Text;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Xunit;

namespace Harepd.Tests.Haproxy;

public sealed class HaproxyLaneTests : IDisposable
{
    private readonly NamedServer _a = new("a");
    private readonly NamedServer _b = new("b");

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void A_writer_cuts_the_others_before_its_own_server_is_ready()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        var lines = new List<string>();
        using var relay = FakeEndpoint.Relay(haproxy, line => lines.Add(line));
        using var bench = new LaneBench(relay.Path);
        using var old = new Caller(haproxy.Write);
        Assert.Equal("b", old.Server);

        var applied = bench.Do(LaneBench.Write(1));

        Assert.True(applied.Serving);
        old.WaitEnd();
        Assert.Equal("a", Caller.Ask(haproxy.Write));
        var cut = lines.FindIndex(l => l.Contains("set server wr/b state maint; shutdown sessions server wr/b", StringComparison.Ordinal));
        var open = lines.FindIndex(l => l.Contains("set server wr/a state ready", StringComparison.Ordinal));
        Assert.True(cut >= 0 && cut < open, "the cut is seen to be done before the opening is sent");
    }

    [Fact]
    public void A_writer_whose_rivals_are_known_to_be_fenced_opens_in_one_batch_first()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        var lines = new List<string>();
        using var relay = FakeEndpoint.Relay(haproxy, line => lines.Add(line));
        using var bench = new LaneBench(relay.Path);

        bench.Do(LaneBench.Write(1) with { OthersAreFenced = true });

        Assert.Contains(lines, l => l.StartsWith("set server wr/a state ready; set server wr/b state maint; shutdown sessions server wr/b", StringComparison.Ordinal));
        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public void Nothing_changes_before_the_first_desire()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var bench = new LaneBench(haproxy.Socket);

        var reading = bench.Lane.ReadState();

        Assert.NotNull(reading.View);
        Assert.Equal(haproxy.WorkerPid(), reading.View.Pid);
        Assert.True(HaproxyView.Find(reading.View.Write, "a")!.IsServing);
        Assert.True(HaproxyView.Find(reading.View.Read, "b")!.IsCut);
    }

    [Fact]
    public void A_cut_ends_every_session_and_clients_get_an_end_at_once_when_all_are_out()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var bench = new LaneBench(haproxy.Socket);
        var callers = Enumerable.Range(0, 40).Select(_ => new Caller(haproxy.Write)).ToList();
        Assert.All(callers, c => Assert.Equal("a", c.Server));

        bench.Do(LaneBench.Cut(1));

        callers.ForEach(c => c.WaitEnd());
        callers.ForEach(c => c.Dispose());
        Assert.Null(Caller.Ask(haproxy.Write));
    }

    [Fact]
    public async Task A_session_that_appears_on_a_cut_server_is_ended_by_the_next_look()
    {
        // A client whose connection is being retried keeps its server over the cut when redispatch is off.
        _a.Stop();
        using var haproxy = new RealHaproxy(self => $"""
            listen wr
              bind {self.Write}
              no option redispatch
              retries 30
              {_a.Config}
            listen rd
              bind {self.Read}
              {_b.Config}
            """);
        using var bench = new LaneBench(haproxy.Socket);
        var waiting = Task.Run(() => Caller.Ask(haproxy.Write));
        TestNet.Eventually(() => haproxy.Command("show sess")!.Contains("be=wr", StringComparison.Ordinal), "the client waits");

        bench.Do(LaneBench.Cut(1));
        _a.Listen();

        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
        TestNet.Eventually(() => !haproxy.Command("show sess")!.Contains("be=wr", StringComparison.Ordinal), "no session is left");
    }

    [Fact]
    public void Reads_follow_their_own_switch()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var bench = new LaneBench(haproxy.Socket);

        bench.Do(LaneBench.Cut(1, readReady: true));
        Assert.Equal("a", Caller.Ask(haproxy.Read));
        Assert.Null(Caller.Ask(haproxy.Write));

        using var reader = new Caller(haproxy.Read);
        bench.Do(LaneBench.Cut(1));
        Assert.Null(Caller.Ask(haproxy.Read));
        Assert.True(reader.Echoes());

        bench.Do(LaneBench.Cut(1) with { EndReadSessions = true });
        reader.WaitEnd();
    }

    [Fact]
    public void An_operators_maint_on_reads_is_respected_until_he_lifts_it()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Cut(1, readReady: true));

        haproxy.Command("set server rd/a state maint");
        bench.Await(a => a.Ok && a.Detail.Contains("an operator", StringComparison.Ordinal));
        Assert.Equal(1, haproxy.Admin("rd", "a"));

        // The daemon's own cut in between does not make the operator's wish forgotten.
        bench.Do(LaneBench.Cut(2));
        bench.Do(LaneBench.Cut(3, readReady: true));
        Assert.Equal(1, haproxy.Admin("rd", "a"));

        haproxy.Command("set server rd/a state ready");
        bench.Do(LaneBench.Cut(4));
        bench.Do(LaneBench.Cut(5, readReady: true));
        Assert.Equal(0, haproxy.Admin("rd", "a"));
    }

    [Fact]
    public void Reads_that_a_fence_cut_are_opened_again_when_the_server_serves_reads()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Cut(1, readReady: true));

        bench.Do(LaneBench.Cut(2) with { EndReadSessions = true });
        Assert.Equal(1, haproxy.Admin("rd", "a"));

        bench.Do(LaneBench.Cut(3, readReady: true));
        Assert.Equal(0, haproxy.Admin("rd", "a"));
    }

    [Fact]
    public void Reads_that_the_guard_cut_are_opened_again_with_the_next_lease()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        var lease = Instant.Forever;
        using var bench = new LaneBench(haproxy.Socket, lease: () => lease);
        bench.Do(LaneBench.Write(1, readReady: true));

        // The daemon stands still, the lease ends, and the guard process fences from outside.
        lease = Instant.Zero;
        using (var guard = new LaneBench(haproxy.Socket))
        {
            Assert.True(guard.Lane.CutNow(LaneBench.In(5)).IsCut);
        }

        bench.Await(a => a.Detail.Contains("too late", StringComparison.Ordinal));
        lease = Instant.Forever;
        bench.Do(LaneBench.Write(2, readReady: true));

        Assert.Equal((0, 0), (haproxy.Admin("wr", "a"), haproxy.Admin("rd", "a")));
    }

    [Fact]
    public void Reads_left_in_maint_by_an_earlier_run_are_opened()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        haproxy.Command("set server rd/a state maint");
        using var bench = new LaneBench(haproxy.Socket);

        bench.Do(LaneBench.Cut(1, readReady: true));

        Assert.Equal(0, haproxy.Admin("rd", "a"));
    }

    [Fact]
    public void Someone_elses_ready_on_a_cut_server_is_undone()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Cut(1));

        haproxy.Command("set server wr/a state ready");

        TestNet.Eventually(() => haproxy.Admin("wr", "a") == 1, "cut again");
    }

    [Fact]
    public void The_parking_server_is_left_alone()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config, "server hold 127.40.255.1:1 weight 0");
        using var bench = new LaneBench(haproxy.Socket);

        bench.Do(LaneBench.Write(1));

        Assert.Equal(0, haproxy.Admin("wr", "hold"));
        Assert.Equal(1, haproxy.Admin("wr", "b"));
    }

    [Fact]
    public void An_older_term_is_refused()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Cut(7));

        bench.Lane.Desire(LaneBench.Write(6));

        Assert.Contains("older", bench.Await(a => a.Desire.Term == new Term(6)).Detail, StringComparison.Ordinal);
        Assert.Equal(1, haproxy.Admin("wr", "a"));
    }

    [Fact]
    public void An_unknown_server_is_a_failure_that_names_it()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var bench = new LaneBench(haproxy.Socket, server: "zebra");

        bench.Lane.Desire(LaneBench.Cut(1));

        Assert.Contains("zebra", bench.Await(a => !a.Ok).Detail, StringComparison.Ordinal);
        Assert.False(bench.Lane.CutNow(LaneBench.In(2)).IsCut);
    }

    [Fact]
    public void A_wrong_read_backend_does_not_hide_the_writes()
    {
        using var haproxy = new RealHaproxy(self => $"listen wr\n  bind {self.Write}\n  {_a.Config}\n");
        using var bench = new LaneBench(haproxy.Socket);

        Assert.True(bench.Lane.CutNow(LaneBench.In(5)).IsCut);
        bench.Lane.Desire(LaneBench.Write(1, readReady: true));

        var applied = bench.Await(a => a.Desire.Kind == RouteKind.Write);
        Assert.False(applied.Ok);
        Assert.True(applied.Serving);
        Assert.Contains("rd has no server", applied.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_without_admin_rights_is_a_failure_that_says_so()
    {
        using var haproxy = new RealHaproxy(
            self => $"listen wr\n  bind {self.Write}\n  {_a.Config}\n  {_b.Config}\n",
            $"stats socket /tmp/harepd-{Guid.NewGuid():N}.sock level admin\n  stats socket ipv4@127.40.255.2:{TestNet.FreePort(System.Net.IPAddress.Parse("127.40.255.2"))} level user");
        var port = haproxy.Folder;
        var socket = File.ReadAllLines(Path.Combine(port, "haproxy.cfg")).First(l => l.Contains("level user", StringComparison.Ordinal)).Trim().Split('@')[1].Split(' ')[0];
        using var bench = new LaneBench("tcp:" + socket);

        bench.Lane.Desire(LaneBench.Write(1));

        Assert.Contains("Permission denied", bench.Await(a => !a.Ok).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_outcome_that_stays_the_same_is_told_once()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        var passes = 0;
        using var relay = FakeEndpoint.Relay(haproxy, _ => Interlocked.Increment(ref passes));
        using var bench = new LaneBench(relay.Path, reconcileMs: 5);
        bench.Do(LaneBench.Cut(1));

        var seen = Volatile.Read(ref passes);
        TestNet.Eventually(() => Volatile.Read(ref passes) > seen + 20, "twenty more looks");

        Assert.Single(bench.Applied);
    }

    [Fact]
    public void Instants_of_outcomes_are_of_the_boot_clock()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        var before = BootClock.Now;

        var applied = bench.Do(LaneBench.Cut(1));

        Assert.InRange(applied.When.Nanos, before.Nanos, BootClock.Now.Nanos);
    }
}
