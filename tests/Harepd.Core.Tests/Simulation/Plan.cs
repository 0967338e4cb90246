using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>What can go wrong. Each seed turns on a random subset, at random strength.</summary>
[Flags]
internal enum Faults
{
    None = 0,
    Loss = 1 << 0,
    SlowNetwork = 1 << 1,
    Duplication = 1 << 2,
    Cuts = 1 << 3,
    Flapping = 1 << 4,
    Kill = 1 << 5,
    KillAndForget = 1 << 6,
    Pause = 1 << 7,
    SlowLoop = 1 << 8,
    Reboot = 1 << 9,
    Suspend = 1 << 10,
    CleanStop = 1 << 11,
    ServerCrash = 1 << 12,
    ServerStop = 1 << 13,
    ServerHang = 1 << 14,
    SlotsFull = 1 << 15,
    CannotWrite = 1 << 16,
    RoguePromotion = 1 << 17,
    SlowDisk = 1 << 18,
    GateFails = 1 << 19,
    GateSlow = 1 << 20,
    SlowLooking = 1 << 21,
    Drift = 1 << 22,
    WallSteps = 1 << 23,
    ProxyReload = 1 << 24,
    OtherMembership = 1 << 25,
    NoEndOfFile = 1 << 26,
    SlowPromotion = 1 << 27,
    PromotionFails = 1 << 28,
    Switchover = 1 << 29,
    DiskLost = 1 << 30,
    All = int.MaxValue,
}

/// <summary>One run: who takes part, how the lease is set, what goes wrong and how badly. Drawn from the seed alone.</summary>
internal sealed record Plan
{
    public required ulong Seed { get; init; }

    public required int DataNodes { get; init; }

    public required int Witnesses { get; init; }

    /// <summary>Server and client processes apart on every data node.</summary>
    public required bool IsSplit { get; init; }

    public required bool AllowReads { get; init; }

    /// <summary>
    /// Every server takes writes on one timeline all the time, so that all ask for the lease without a pause: nothing presses harder on the
    /// lease alone. Otherwise there is one primary and repmgr promotes.
    /// </summary>
    public required bool IsContested { get; init; }

    /// <summary>harepd promotes; otherwise repmgr does.</summary>
    public bool IsManaged { get; init; }

    /// <summary>harepd manages synchronous replication, and promotes only without loss.</summary>
    public bool IsSynchronous { get; init; }

    public required LeaseSettings Lease { get; init; }

    /// <summary>Short graces, so that a run sees many failovers.</summary>
    public FailoverPolicy Failover => new()
    {
        Promoter = IsManaged ? Promoter.Harepd : Promoter.Repmgr,
        MaxLagBytes = IsSynchronous ? 1_000_000 : 50_000,
        StopGrace = TimeSpan.FromSeconds(2),
        PromoteTimeout = TimeSpan.FromSeconds(2),
        MinInterval = TimeSpan.FromSeconds(1),
        MaxInterval = TimeSpan.FromSeconds(3),
        RejoinsItself = Seed % 2 == 0,
        StartsCrashed = Seed % 3 != 0,
        RestartsFirst = Seed % 11 == 0,
        SynchronousOnly = IsSynchronous,
        ManagesSynchrony = IsSynchronous,
        SynchronousCount = DataNodes > 3 && Seed % 3 == 0 ? 2 : 1,
        SynchronousDegradeAfter = TimeSpan.FromSeconds(1 + Seed % 3),
        SynchronousStrict = Seed % 5 == 0,
    };

    /// <summary>As short, for planned moves.</summary>
    public static MoveLimits Moves { get; } = new()
    {
        Checkpoint = TimeSpan.FromSeconds(2),
        Hold = TimeSpan.FromMilliseconds(300),
        Start = TimeSpan.FromSeconds(5),
        Spare = TimeSpan.FromSeconds(2),
        Rejoin = TimeSpan.FromSeconds(5),
        RejoinAfter = TimeSpan.FromSeconds(1),
        RejoinRetry = TimeSpan.FromSeconds(2),
    };

    public required Faults Faults { get; init; }

    /// <summary>Mean time between two faults of one kind on the whole cluster.</summary>
    public required long FaultEvery { get; init; }

    /// <summary>How long faults go on before everything is healed.</summary>
    public required long Trouble { get; init; }

    /// <summary>How long repmgr waits before it promotes.</summary>
    public required long PromoteAfter { get; init; }

    /// <summary>How soon a dead server is started again, and an old primary made a standby.</summary>
    public required long RepairAfter { get; init; }

    public required double LossRate { get; init; }

    /// <summary>Mean one-way delay.</summary>
    public required long Delay { get; init; }

    public string Shape => $"{DataNodes} data + {Witnesses} witness{(IsSplit ? ", split" : "")}{(IsContested ? ", contested" : "")}{(IsManaged ? ", managed" : "")}{(IsSynchronous ? ", synchronous" : "")}, D={Lease.Duration.TotalSeconds:0.0}s, drift {Lease.DriftPpm} ppm";

    public static Plan Draw(ulong seed)
    {
        var dice = new Dice(seed, "plan");
        var (data, witnesses) = dice.Pick(new[] { (2, 1), (2, 1), (2, 1), (3, 0), (3, 2), (5, 0), (2, 3), (4, 3) });
        var duration = dice.Pick(new[] { 1000, 1000, 3000 });
        var faults = Faults.None;
        var density = dice.Pick(new[] { 0.1, 0.25, 0.5, 0.8 });
        foreach (var fault in Enum.GetValues<Faults>())
        {
            if (fault is not Faults.None and < Faults.SlowPromotion && dice.Chance(density))
            {
                faults |= fault;
            }
        }

        return DrawSynchrony(seed, DrawDisk(seed, density, DrawPromoter(seed, density, new Plan
        {
            Seed = seed,
            DataNodes = data,
            Witnesses = witnesses,
            IsSplit = dice.Chance(0.25),
            AllowReads = dice.Chance(0.5),
            IsContested = dice.Chance(0.35),
            Lease = new LeaseSettings
            {
                Duration = TimeSpan.FromMilliseconds(duration),
                MaxDuration = TimeSpan.FromMilliseconds(duration),
                RenewInterval = TimeSpan.FromMilliseconds(duration == 1000 ? 200 : 500),
                DriftPpm = dice.Pick(new[] { 500, 500, 20_000 }),
            },
            Faults = faults,
            FaultEvery = dice.Pick(new[] { 300, 1000, 3000, 8000 }) * Span.Millisecond,
            Trouble = dice.Between(15 * Span.Second, 45 * Span.Second),
            PromoteAfter = dice.Between(Span.Second / 2, 4 * Span.Second),
            RepairAfter = dice.Between(Span.Second, 8 * Span.Second),
            LossRate = dice.Pick(new[] { 0.01, 0.05, 0.2, 0.4 }),
            Delay = dice.Pick(new[] { 2, 10, 40 }) * Span.Millisecond,
        })));
    }

    /// <summary>With dice of its own, for the same reason as the two below.</summary>
    private static Plan DrawSynchrony(ulong seed, Plan plan) =>
        plan.IsManaged && new Dice(seed, "synchrony").Chance(0.4) ? plan with { IsSynchronous = true } : plan;

    /// <summary>With dice of its own, for the same reason as <see cref="DrawPromoter"/>.</summary>
    private static Plan DrawDisk(ulong seed, double density, Plan plan) =>
        new Dice(seed, "disk").Chance(density) ? plan with { Faults = plan.Faults | Faults.DiskLost } : plan;

    /// <summary>With dice of its own: the rest of a seed's plan stays as it was before harepd could promote.</summary>
    private static Plan DrawPromoter(ulong seed, double density, Plan plan)
    {
        var dice = new Dice(seed, "promoter");
        var isManaged = dice.Chance(0.6) && !plan.IsContested;
        var slow = dice.Chance(density) ? Faults.SlowPromotion : Faults.None;
        var fails = dice.Chance(density) ? Faults.PromotionFails : Faults.None;
        var moves = dice.Chance(0.5) ? Faults.Switchover : Faults.None;
        return isManaged ? plan with { IsManaged = true, Faults = plan.Faults | slow | fails | moves } : plan;
    }

    public bool Has(Faults fault) => (Faults & fault) != Faults.None;
}
