using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using HaproxyServer = Harepd.Lab.Servers.HaproxyServer;

namespace Harepd.Bench.Steering;

/// <summary>
/// The part of HAProxy in a planned move: new clients are held, the old server is cut, the new one is opened. Beside it the same commands sent by hand.
/// What PostgreSQL does in between is left out, so both servers answer readers. The pause is what a client sees that comes when the hold begins.
/// </summary>
internal sealed class HoldScenario : IScenario
{
    private long _term;

    public string Name => "hold";

    public async Task<IReadOnlyList<Comparison>> RunAsync(SteeringLab lab, BenchOptions options)
    {
        HandMade.OpenBoth(lab);
        await using var visitors = new HoldVisitors(lab.Haproxy);
        var (byHand, byHarepd) = (new List<double>(), new List<double>());
        var (from, to) = (lab.Primary, lab.Standby);
        await lab.Haproxy.CommandAsync($"set server {HaproxyServer.WriteBackend}/{from.Name} state ready");
        await visitors.FirstAtAsync(from.Server, BootClock.Now);
        for (var round = 0; round < options.Rounds * 2; round++)
        {
            var isOwn = round % 2 == 1;
            var pause = await (isOwn ? MoveAsync(lab, visitors, from, to) : MoveByHandAsync(lab.Haproxy, visitors, from, to));
            (isOwn ? byHarepd : byHand).Add(pause);
            SteeringLab.Tell(string.Create(CultureInfo.InvariantCulture, $"{(isOwn ? "harepd" : "by hand")} {pause:F1} ms"));
            (from, to) = (to, from);
        }

        return visitors.Errors.Count == 0
            ? [new Comparison("hold to first client on the other server, ms", Distribution.Of(byHand), Distribution.Of(byHarepd))]
            : throw new LabException($"{visitors.Errors.Count} of {visitors.Visits} clients had an error: {visitors.Errors[0]}");
    }

    private static HaproxyLane Lane(SteeringLab lab, RepmgrNode node) => SteeringLane.Start(lab.Haproxy.Endpoint, HaproxyServer.WriteBackend, node.Name);

    /// <summary>The lanes live for one move: a lane that stands would undo what is done by hand in the next.</summary>
    private async Task<double> MoveAsync(SteeringLab lab, HoldVisitors visitors, RepmgrNode from, RepmgrNode to)
    {
        using var old = Lane(lab, from);
        using var next = Lane(lab, to);
        await OpenAsync(old);
        var begun = BootClock.Now;
        var held = new TaskCompletionSource<(bool IsHeld, string Detail)>(TaskCreationOptions.RunContinuationsAsynchronously);
        old.EngageHold(new HoldDesire(1, new Term(_term), begun + TimeSpan.FromSeconds(10), (isHeld, detail) => held.TrySetResult((isHeld, detail))));
        if (await held.Task is { IsHeld: false, Detail: var reason })
        {
            throw new LabException($"no hold: {reason}");
        }

        await DrainAsync(lab.Haproxy, from);
        old.CutNow(BootClock.Now + TimeSpan.FromSeconds(2));
        next.Desire(Write());
        return (await visitors.FirstAtAsync(to.Server, begun) - begun).TotalMilliseconds;
    }

    private static async Task<double> MoveByHandAsync(HaproxyServer haproxy, HoldVisitors visitors, RepmgrNode from, RepmgrNode to)
    {
        const string backend = HaproxyServer.WriteBackend;
        var begun = BootClock.Now;
        using var keeper = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await keeper.ConnectAsync(IPEndPoint.Parse(haproxy.Endpoint.Split("hold:tcp:")[1]));
        await keeper.SendAsync("hold"u8.ToArray());
        await haproxy.CommandAsync($"set weight {backend}/hold 1; set server {backend}/{from.Name} state maint");
        await DrainAsync(haproxy, from);
        await haproxy.CommandAsync($"set server {backend}/{to.Name} state ready; set weight {backend}/hold 0");
        return (await visitors.FirstAtAsync(to.Server, begun) - begun).TotalMilliseconds;
    }

    private async Task OpenAsync(HaproxyLane lane)
    {
        lane.Desire(Write());
        await Wait.UntilAsync(
            () => Task.FromResult(lane.ReadState().View is { } view && view.Write.Count(row => row.Name != HaproxyTarget.HoldServer && row.IsServing) == 1),
            "one open server");
    }

    private RouteDesire Write() => new() { Term = new Term(++_term), Kind = RouteKind.Write, ReadReady = false };

    private static Task DrainAsync(HaproxyServer haproxy, RepmgrNode node) => Wait.UntilAsync(
        async () => (await haproxy.StatesAsync()).First(state => state.Backend == HaproxyServer.WriteBackend && state.Server == node.Name).Sessions == 0,
        "short sessions end",
        poll: TimeSpan.FromMilliseconds(1));
}
