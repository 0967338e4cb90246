using Harepd.Haproxy;
using Xunit;

namespace Harepd.Tests.Haproxy;

public sealed class HaproxyLanesTests : IDisposable
{
    private static readonly TimeSpan SeveralLooks = TimeSpan.FromMilliseconds(50 * 10);
    private readonly NamedServer _a = new("a");
    private readonly NamedServer _b = new("b");

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void Who_keeps_no_routes_cuts_once_and_leaves_alone_what_the_daemon_opens_afterwards()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var guard = new HaproxyLanes([LaneBench.Lanes(haproxy.Socket)]);
        guard.Start(keeps: false);
        Assert.True(guard.CutNow(LaneBench.In(2)).IsCut);

        using var daemon = new LaneBench(haproxy.Socket, reconcileMs: 60_000);
        daemon.Do(LaneBench.Write(2));
        Thread.Sleep(SeveralLooks);

        Assert.Equal(0, haproxy.Admin("wr", "a"));
        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public void Who_keeps_the_routes_holds_on_to_a_cut()
    {
        using var haproxy = RealHaproxy.WithServers(_a.Config, _b.Config + " disabled");
        using var lanes = new HaproxyLanes([LaneBench.Lanes(haproxy.Socket)]);
        lanes.Start();
        Assert.True(lanes.CutNow(LaneBench.In(2)).IsCut);

        haproxy.Command("set server wr/a state ready");

        TestNet.Eventually(() => haproxy.Admin("wr", "a") != 0, "the cut to be kept");
    }
}
