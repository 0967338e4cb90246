using Harepd.Clock;
using Xunit;

namespace Harepd.Tests.Postgres;

/// <summary>Waits for a condition of the outside world; the bound is there to end a broken test, not to time a sound one.</summary>
internal static class Eventually
{
    public static void True(Func<bool> condition, string what, int seconds = 30)
    {
        var deadline = BootClock.Now + TimeSpan.FromSeconds(seconds);
        while (!condition())
        {
            Assert.True(BootClock.Now < deadline, $"not within {seconds} s: {what}");
            Thread.Sleep(5);
        }
    }
}
