using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>The boot-time clock of one host: begins anew at each boot and runs at its own rate within the drift bound.</summary>
internal sealed class HostClock(long bootedAt, int ppm)
{
    /// <summary>A second after the power-on, so that instants near zero are not special.</summary>
    private const long AtBoot = Span.Second;

    /// <summary>What the clock shows at a true time.</summary>
    public Instant Read(long time)
    {
        var since = time - bootedAt;
        return new Instant(AtBoot + since + FloorDiv(since * ppm, 1_000_000));
    }

    /// <summary>The earliest true time at which the clock shows at least this.</summary>
    public long TimeOf(Instant at)
    {
        if (at.Nanos >= long.MaxValue / 4)
        {
            return long.MaxValue / 4;
        }

        var time = bootedAt + (long)((at.Nanos - AtBoot) * (1_000_000.0 / (1_000_000 + ppm)));
        while (Read(time) < at)
        {
            time++;
        }

        while (Read(time - 1) >= at)
        {
            time--;
        }

        return time;
    }

    private static long FloorDiv(long value, long by)
    {
        var quotient = value / by;
        return value % by < 0 ? quotient - 1 : quotient;
    }
}
