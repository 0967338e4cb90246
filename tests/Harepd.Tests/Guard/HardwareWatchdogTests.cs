using System.Text;
using Harepd.Core.Model;
using Harepd.Guard;
using Harepd.Tests.Files;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Guard;

/// <summary>The machine's watchdog, with a file in the place of the device: what is written to it is what a driver would see.</summary>
public sealed class HardwareWatchdogTests : IDisposable
{
    private static readonly Instant Start = new(1_000_000_000_000);
    private static readonly GuardOrder Armed = new(new Term(7), Start + TimeSpan.FromSeconds(2.4), Start + TimeSpan.FromSeconds(3));
    private readonly TemporaryFolder _folder = new();
    private readonly HardwareWatchdog _watchdog;

    public HardwareWatchdogTests()
    {
        File.WriteAllText(Device, "");
        _watchdog = new HardwareWatchdog(Device, TimeSpan.FromSeconds(2), NullLogger.Instance);
    }

    private string Device => _folder.File("watchdog");

    private string Written => Encoding.ASCII.GetString(File.ReadAllBytes(Device)).Replace('\0', '.');

    public void Dispose()
    {
        _watchdog.Off();
        _folder.Dispose();
    }

    [Fact]
    public void Nothing_is_opened_before_a_lease()
    {
        _watchdog.Keep(default, Start);

        Assert.False(_watchdog.IsOn);
        Assert.Equal("", Written);
    }

    [Fact]
    public void It_is_fed_until_the_lease_is_over_and_not_fenced_and_no_longer()
    {
        for (var at = Start; at < Armed.Deadline + TimeSpan.FromSeconds(5); at += TimeSpan.FromMilliseconds(50))
        {
            _watchdog.Keep(Armed, at);
        }

        Assert.True(_watchdog.IsOn);
        Assert.Equal(new string('.', 15), Written);
    }

    [Fact]
    public void A_gate_that_is_shut_ends_the_watch_in_order()
    {
        _watchdog.Keep(Armed, Start);
        _watchdog.Keep(Armed with { FenceAt = Instant.Zero }, Start + TimeSpan.FromSeconds(1));

        Assert.False(_watchdog.IsOn);
        Assert.Equal("V", Written[^1..]);
    }

    [Fact]
    public void The_guard_that_cannot_fence_stops_feeding_it_and_one_that_can_ends_it()
    {
        using var page = GuardPage.Open(_folder.Path);
        var mayFence = false;
        var watch = new GuardWatch(page, (_, _) => mayFence, TimeSpan.FromMilliseconds(100), _ => true, _watchdog);
        page.Write(Armed);
        watch.Turn(Start);
        watch.Turn(Armed.Deadline + TimeSpan.FromSeconds(1));
        watch.Turn(Armed.Deadline + TimeSpan.FromSeconds(2));
        Assert.Equal((true, "."), (_watchdog.IsOn, Written));

        mayFence = true;
        watch.Turn(Armed.Deadline + TimeSpan.FromSeconds(3));
        watch.Turn(Armed.Deadline + TimeSpan.FromSeconds(4));
        Assert.False(_watchdog.IsOn);
    }

    [Fact]
    public void A_device_that_is_not_there_changes_nothing()
    {
        var none = new HardwareWatchdog(_folder.File("none"), TimeSpan.FromSeconds(2), NullLogger.Instance);

        none.Keep(Armed, Start);

        Assert.False(none.IsOn);
    }

    [Theory]
    [InlineData(3000, 500, 2)]
    [InlineData(1000, 200, 1)]
    [InlineData(30000, 1000, 29)]
    public void Its_timeout_ends_before_a_lease_that_is_not_renewed(int duration, int renewal, int seconds) => Assert.Equal(
        TimeSpan.FromSeconds(seconds), HardwareWatchdog.TimeoutFor(TimeSpan.FromMilliseconds(duration), TimeSpan.FromMilliseconds(renewal)));
}
