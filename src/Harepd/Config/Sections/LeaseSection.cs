namespace Harepd.Config.Sections;

/// <summary>Reads <c>lease</c>, and checks that a lease can be renewed and given up in its time (DESIGN section 4, "stall budget").</summary>
internal static class LeaseSection
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    public static LeaseConfig Read(Section section)
    {
        var profile = section.Value("profile", Values.OneOf(("default", LeaseProfile.Default), ("fast", LeaseProfile.Fast)), LeaseProfile.Default);
        var isFast = profile == LeaseProfile.Fast;
        var config = new LeaseConfig
        {
            Profile = profile,
            Duration = Span(section, "duration", 200, isFast ? 1_000 : 3_000),
            RenewInterval = Span(section, "renewInterval", 20, isFast ? 200 : 500),
            FenceBudget = Span(section, "fenceBudget", 50, isFast ? 300 : 600),
            MaxDuration = Span(section, "maxDuration", 200, 3_000),
            DriftPpm = section.Value("driftPpm", Values.Whole(1, 50_000), 500),
        };
        Check(section, config);
        section.Close();
        return config;
    }

    private static TimeSpan Span(Section section, string key, int min, int fallback) =>
        section.Value(key, Values.Duration(TimeSpan.FromMilliseconds(min), Longest), TimeSpan.FromMilliseconds(fallback));

    private static void Check(Section section, LeaseConfig config)
    {
        if (config.Duration > config.MaxDuration)
        {
            var problem = $"longer than maxDuration {Units.Text(config.MaxDuration)}, which every voter refuses";
            section.Error("duration", Units.Text(config.Duration), problem, "a shorter duration, or a longer maxDuration on every member first");
        }

        var budget = LeaseBudget.Of(config);
        if (budget.StallSurvived <= TimeSpan.Zero)
        {
            var needed = config.RenewInterval + config.FenceBudget + LeaseBudget.RoundTrip;
            var parts = $"renewInterval {Units.Text(config.RenewInterval)} + fenceBudget {Units.Text(config.FenceBudget)} + a round trip";
            var problem = $"{parts} leave no time for a stall";
            section.Error("duration", Units.Text(config.Duration), problem, $"well over {Units.Text(needed)}, or renew more often");
        }
    }
}
