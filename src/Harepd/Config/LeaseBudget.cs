using Harepd.Core.Model;

namespace Harepd.Config;

/// <summary>What follows from the lease's durations (DESIGN section 4, the worked example); all spans are boot time.</summary>
/// <param name="VotersHold">A = ⌈(D + m)(1+ρ)/(1−ρ)⌉, in whole milliseconds: how long a voter refuses everybody else.</param>
/// <param name="VotersAbstain">Q = A(D_max): how long a voter that starts is silent.</param>
/// <param name="FenceStarts">D − F, after the holder's last renewal began.</param>
/// <param name="Deadline">D, likewise.</param>
/// <param name="StallSurvived">D − renewal − F − round trip: the longest pause of the holder that costs nothing.</param>
/// <param name="SilenceAtLeast">A − renewal: from the loss of a host until the voters are free, when it died just before a renewal.</param>
/// <param name="SilenceAtMost">A: the same when it died just after one.</param>
/// <param name="HostLost">A + 0.3 s for promotion and steering: writes resume after the loss of a host within this.</param>
internal readonly record struct LeaseBudget(
    TimeSpan VotersHold,
    TimeSpan VotersAbstain,
    TimeSpan FenceStarts,
    TimeSpan Deadline,
    TimeSpan StallSurvived,
    TimeSpan SilenceAtLeast,
    TimeSpan SilenceAtMost,
    TimeSpan HostLost)
{
    /// <summary>A round trip between members that leaves room for a busy host, about ten times what healthy ones take.</summary>
    public static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan PromotionAndSteering = TimeSpan.FromMilliseconds(300);

    /// <summary>The budget of a configuration.</summary>
    public static LeaseBudget Of(LeaseConfig lease)
    {
        var settings = new LeaseSettings { Duration = lease.Duration, MaxDuration = lease.MaxDuration, DriftPpm = lease.DriftPpm };
        var hold = RoundUp(settings.HoldFor(lease.Duration));
        return new LeaseBudget(
            hold,
            RoundUp(settings.AbstainFor),
            lease.Duration - lease.FenceBudget,
            lease.Duration,
            lease.Duration - lease.RenewInterval - lease.FenceBudget - RoundTrip,
            hold - lease.RenewInterval,
            hold,
            hold + PromotionAndSteering);
    }

    private static TimeSpan RoundUp(TimeSpan span) => TimeSpan.FromMilliseconds(Math.Ceiling(span.TotalMilliseconds));
}
