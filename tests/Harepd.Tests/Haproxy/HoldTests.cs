using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Xunit;
using Xunit.Abstractions;

namespace Harepd.Tests.Haproxy;

/// <summary>The hold of a planned move on a real HAProxy: who waits, who is let through, and what ends it whatever happens to its owner.</summary>
public sealed class HoldTests(ITestOutputHelper output) : IDisposable
{
    private readonly NamedServer _a = new("a");
    private readonly NamedServer _b = new("b");
    private long _sequence;

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public async Task New_clients_wait_and_the_next_holder_lets_them_through()
    {
        using var haproxy = WithHold();
        using var old = new LaneBench(Endpoint(haproxy));
        using var next = new LaneBench(Endpoint(haproxy), server: "b");
        old.Do(LaneBench.Write(1));
        using var session = new Caller(haproxy.Write);

        Assert.Equal((true, "held"), await EngageAsync(old, 1, LaneBench.In(15)));
        var waiting = Arrive(haproxy, 10);
        Assert.True(session.Echoes(), "a session that is there goes on");
        Assert.True(old.Lane.CutNow(LaneBench.In(5)).IsCut);
        session.WaitEnd();
        Assert.All(waiting, one => Assert.False(one.IsCompleted, "the cut is no reason to end what waits"));

        next.Do(LaneBench.Write(2));

        Assert.All(await Task.WhenAll(waiting), name => Assert.Equal("b", name));
        TestNet.Eventually(() => Hold(haproxy) == (0, 0), "the hold is released and its keeper gone");
        Assert.Equal("b", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public async Task A_hold_ends_at_its_deadline_and_the_holder_serves_again()
    {
        using var haproxy = WithHold();
        using var bench = new LaneBench(Endpoint(haproxy));
        bench.Do(LaneBench.Write(1));

        Assert.True((await EngageAsync(bench, 1, LaneBench.In(1))).IsHeld);
        var waiting = Arrive(haproxy, 3);

        Assert.All(await Task.WhenAll(waiting), name => Assert.Equal("a", name));
        TestNet.Eventually(() => Hold(haproxy) == (0, 0), "released");
    }

    [Fact]
    public async Task A_hold_that_is_called_off_lets_clients_through()
    {
        using var haproxy = WithHold();
        using var bench = new LaneBench(Endpoint(haproxy));
        bench.Do(LaneBench.Write(1));
        Assert.True((await EngageAsync(bench, 1, LaneBench.In(15))).IsHeld);
        var waiting = Arrive(haproxy, 3);

        bench.Lane.ReleaseHold();

        Assert.All(await Task.WhenAll(waiting), name => Assert.Equal("a", name));
        TestNet.Eventually(() => Hold(haproxy) == (0, 0), "released");
    }

    [Fact]
    public async Task The_end_of_the_owner_lets_go_what_waits_and_any_other_daemon_clears_up()
    {
        using var haproxy = WithHold();
        var keeper = Keeper(haproxy);
        haproxy.Command("set weight wr/hold 1; set server wr/a state maint; set server wr/b state maint");
        var waiting = Arrive(haproxy, 5);

        // What the kernel does to a daemon that was killed.
        keeper.Dispose();
        Assert.All(await Task.WhenAll(waiting), Assert.Null);
        Assert.Equal(1, Hold(haproxy).Weight);

        using var other = new LaneBench(Endpoint(haproxy), server: "b");
        other.Do(LaneBench.Cut(1));
        TestNet.Eventually(() => Hold(haproxy).Weight == 0, "cleared up");
    }

    [Fact]
    public void A_hold_whose_owner_is_alive_is_left_alone_by_other_daemons()
    {
        using var haproxy = WithHold();
        using var keeper = Keeper(haproxy);
        haproxy.Command("set weight wr/hold 1; set server wr/a state maint; set server wr/b state maint");
        using var other = new LaneBench(Endpoint(haproxy), server: "b", reconcileMs: 5);

        other.Do(LaneBench.Cut(1));
        other.Do(LaneBench.Cut(2, readReady: true));

        Assert.Equal(1, Hold(haproxy).Weight);
    }

    [Fact]
    public async Task Haproxy_itself_ends_a_hold_whose_owner_stands_still()
    {
        using var haproxy = WithHold(longest: "500ms");
        using var keeper = Keeper(haproxy);
        haproxy.Command("set weight wr/hold 1; set server wr/a state maint; set server wr/b state maint");

        Assert.All(await Task.WhenAll(Arrive(haproxy, 3)), Assert.Null);
    }

    [Fact]
    public async Task A_reload_in_the_middle_of_a_hold_does_not_end_it()
    {
        using var haproxy = WithHold();
        using var old = new LaneBench($"{Endpoint(haproxy)},master:unix:{haproxy.Master}");
        using var next = new LaneBench(Endpoint(haproxy), server: "b");
        old.Do(LaneBench.Write(1));
        Assert.True((await EngageAsync(old, 1, LaneBench.In(30))).IsHeld);
        Assert.True(old.Lane.CutNow(LaneBench.In(5)).IsCut);

        haproxy.Reload();
        TestNet.Eventually(() => Hold(haproxy) == (1, 1), "the new worker holds too");
        var waiting = Arrive(haproxy, 3);
        next.Do(LaneBench.Write(2));

        Assert.All(await Task.WhenAll(waiting), name => Assert.Equal("b", name));
    }

    [Fact]
    public async Task Without_a_hold_nothing_is_held_and_nothing_changes()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config + " disabled", _b.Config);
        using var bench = new LaneBench(haproxy.Socket);
        using var wrong = new LaneBench($"unix:{haproxy.Socket},hold:unix:{haproxy.Folder}/nothing.sock");
        bench.Do(LaneBench.Write(1));
        wrong.Do(LaneBench.Write(1));

        var (isHeld, detail) = await EngageAsync(bench, 1, LaneBench.In(5));
        Assert.False(isHeld);
        Assert.Contains("no hold is configured", detail, StringComparison.Ordinal);
        (isHeld, detail) = await EngageAsync(wrong, 1, LaneBench.In(5));
        Assert.False(isHeld);
        Assert.Contains("nothing.sock", detail, StringComparison.Ordinal);
        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public async Task A_hold_of_another_term_is_refused()
    {
        using var haproxy = WithHold();
        using var bench = new LaneBench(Endpoint(haproxy));
        bench.Do(LaneBench.Write(7));

        Assert.False((await EngageAsync(bench, 6, LaneBench.In(5))).IsHeld);
        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    /// <summary>Planned moves to and fro under clients that never stop coming: 50 by default, as many as HAREPD_HOLD_CYCLES says.</summary>
    [Fact]
    public async Task Moves_to_and_fro_cost_no_client_an_error()
    {
        var cycles = int.Parse(Environment.GetEnvironmentVariable("HAREPD_HOLD_CYCLES") ?? "50", CultureInfo.InvariantCulture);
        using var haproxy = WithHold();
        using var a = new LaneBench(Endpoint(haproxy));
        using var b = new LaneBench(Endpoint(haproxy), server: "b");
        a.Do(LaneBench.Write(1));
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(() => Visit(haproxy.Write, stop.Token))).ToList();

        for (var cycle = 1; cycle <= cycles; cycle++)
        {
            var (from, to) = cycle % 2 == 1 ? (a, b) : (b, a);
            var (isHeld, detail) = await EngageAsync(from, cycle, LaneBench.In(20));
            Assert.True(isHeld, detail);
            TestNet.Eventually(
                () => HaproxyView.Find(from.Lane.ReadState().View!.Write, cycle % 2 == 1 ? "a" : "b")!.Sessions == 0, "short sessions end by themselves");
            Assert.True(from.Lane.CutNow(LaneBench.In(5)).IsCut);
            to.Do(LaneBench.Write(cycle + 1));
        }

        await stop.CancelAsync();
        var (visits, errors) = (0, new List<string>());
        foreach (var client in await Task.WhenAll(clients))
        {
            visits += client.Visits;
            errors.AddRange(client.Errors);
        }

        output.WriteLine($"{cycles} moves, {visits} visits, {errors.Count} errors");
        Assert.True(errors.Count == 0, string.Join("; ", errors.Take(5)));
        Assert.True(visits > cycles, "the clients were there");
    }

    private static (int Visits, List<string> Errors) Visit(IPEndPoint frontend, CancellationToken stop)
    {
        var (visits, errors) = (0, new List<string>());
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var caller = new Caller(frontend);
                visits++;
                if (caller.Server is null || !caller.Echoes())
                {
                    errors.Add($"visit {visits}: {caller.Server ?? "an end instead of a name"}");
                }
            }
            catch (SocketException ex)
            {
                errors.Add($"visit {visits}: {ex.SocketErrorCode}");
            }
        }

        return (visits, errors);
    }

    private RealHaproxy WithHold(string longest = "30s")
    {
        var address = TestNet.Address();
        var sink = new IPEndPoint(address, TestNet.FreePort(address));
        return new RealHaproxy(self => $"""
            listen harepd_hold
              bind {sink}
              timeout client-fin 100ms
              tcp-request inspect-delay {longest}
              tcp-request content reject if {"{"} req.len gt 0 {"}"} !{"{"} req.payload(0,4) -m str hold {"}"}
              tcp-request content reject if WAIT_END
            listen wr
              bind {self.Write}
              bind unix@{self.Folder}/hold.sock name hold
              use-server hold if {"{"} so_name hold {"}"}
              timeout queue 30s
              timeout client-fin 100ms
              {_a.Config} disabled
              {_b.Config} disabled
              server hold {sink} weight 0 maxconn 1 no-check
            listen rd
              bind {self.Read}
              {_a.Config}
              {_b.Config}
            """);
    }

    private static string Endpoint(RealHaproxy haproxy) => $"unix:{haproxy.Socket},hold:unix:{haproxy.Folder}/hold.sock";

    private async Task<(bool IsHeld, string Detail)> EngageAsync(LaneBench bench, long term, Instant until)
    {
        var told = new TaskCompletionSource<(bool, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Lane.EngageHold(new HoldDesire(++_sequence, new Term(term), until, (isHeld, detail) => told.TrySetResult((isHeld, detail))));
        return await told.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>Clients that come now; returns when HAProxy has them all in its queue.</summary>
    private static List<Task<string?>> Arrive(RealHaproxy haproxy, int count)
    {
        var clients = Enumerable.Range(0, count)
            .Select(_ => Task.Factory.StartNew(() => Caller.Ask(haproxy.Write, "\0\0\0\b"), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            .ToList();
        TestNet.Eventually(
            () => clients.All(c => c.IsCompleted) || Field(haproxy, "BACKEND", 2) + clients.Count(c => c.IsCompleted) >= count, "the clients wait");
        return clients;
    }

    private static Socket Keeper(RealHaproxy haproxy)
    {
        var keeper = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        keeper.Connect(new UnixDomainSocketEndPoint($"{haproxy.Folder}/hold.sock"));
        keeper.Send("hold"u8);
        TestNet.Eventually(() => Hold(haproxy).Sessions == 1, "the keeper has the slot");
        return keeper;
    }

    private static (int Weight, int Sessions) Hold(RealHaproxy haproxy) => (Field(haproxy, "hold", 18), Field(haproxy, "hold", 4));

    private static int Field(RealHaproxy haproxy, string server, int column) =>
        int.Parse(
            haproxy.Command("show stat wr -1 -1")!.Split('\n').Select(l => l.Split(',')).First(f => f.Length > column && f[1] == server)[column],
            CultureInfo.InvariantCulture);
}
