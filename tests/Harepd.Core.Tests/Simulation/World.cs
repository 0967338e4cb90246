using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>
/// A whole cluster of real node machines in virtual time: first under the faults of the plan, then healed. Deterministic: a plan and a
/// mutation give the same run every time.
/// </summary>
internal sealed class World
{
    private readonly Dice _runs;
    private readonly Membership _membership;
    private readonly Membership _otherMembership;
    private readonly Dictionary<MemberId, SimHost> _byId;

    public World(Plan plan, Mutation? mutation = null)
    {
        Plan = plan;
        Mutation = mutation ?? Mutation.None;
        _runs = new Dice(plan.Seed, "runs");
        Checkers = new Checkers(this);
        Network = new SimNetwork(this);
        Proxies = new SimProxies(this);
        Repmgr = new Repmgr(this);
        Replication = new Replication(this);
        Waiting = new Waiting(this);
        Hosts = [.. Enumerable.Range(0, plan.DataNodes + plan.Witnesses).Select(i => new SimHost(this, i, i < plan.DataNodes))];
        DataHosts = [.. Hosts.Where(host => host.HasData)];
        _byId = Hosts.ToDictionary(host => host.Id);
        _membership = new Membership("sim", 1, Hosts.Select(host => host.Id));
        _otherMembership = new Membership("sim", 2, Hosts.Select(host => host.Id));
    }

    public Plan Plan { get; }

    public Mutation Mutation { get; }

    public Agenda Agenda { get; } = new();

    public History History { get; } = new();

    public Checkers Checkers { get; }

    public SimNetwork Network { get; }

    public SimProxies Proxies { get; }

    public Repmgr Repmgr { get; }

    public Replication Replication { get; }

    public Waiting Waiting { get; }

    public IReadOnlyList<SimHost> Hosts { get; }

    public IReadOnlyList<SimHost> DataHosts { get; }

    public long Steps { get; set; }

    public SimHost HostOf(MemberId id) => _byId[id];

    public void Note(string who, string what) => History.Add(Agenda.Now, who, what);

    /// <summary>Runs the plan to its end; throws <see cref="ViolationException"/> at the first thing that must not be.</summary>
    public void Run()
    {
        var dice = new Dice(Plan.Seed, "clocks");
        foreach (var host in Hosts)
        {
            PowerOn(host, DrawRate(dice));
            host.WallOffsetMillis = (long)((dice.Fraction() - 0.5) * 100);
        }

        foreach (var host in DataHosts)
        {
            host.Server.IsStandby = host.Index > 0 && !Plan.IsContested;
            host.StartServer();
        }

        Repmgr.Start();
        Replication.Start();
        var injector = new Injector(this);
        injector.Start();
        RunUntil(Plan.Trouble);
        injector.Stop();
        new Recovery(this).Run();
    }

    public void RunUntil(long end)
    {
        while (Agenda.Next(end))
        {
            Checkers.Look();
        }
    }

    public int DrawRate(Dice dice) => Plan.Has(Faults.Drift)
        ? (dice.Chance(0.5) ? 1 : -1) * Plan.Lease.DriftPpm
        : (int)((dice.Fraction() * 2 - 1) * Plan.Lease.DriftPpm);

    public void PowerOff(SimHost host)
    {
        host.IsUp = false;
        foreach (var process in host.Processes)
        {
            process.Die();
        }

        host.Processes.Clear();
        if (host.HasData && host.Server.IsRunning)
        {
            host.StopServer(isClean: false);
        }
    }

    public void PowerOn(SimHost host, int ppm)
    {
        if (host.Processes.Count > 0)
        {
            return;
        }

        host.IsUp = true;
        host.IsSuspended = false;
        host.Boot(new HostClock(Agenda.Now, ppm));
        StartDaemon(host);
    }

    /// <summary>What a killed process had on tmpfs is lost with it (removed by hand, or kept elsewhere).</summary>
    public void Forget(SimHost host, SimProcess process)
    {
        host.VoterOnTmpfs = process.Settings.HasVoter ? null : host.VoterOnTmpfs;
        host.LeaseOnTmpfs = process.Settings.HasCandidate ? null : host.LeaseOnTmpfs;
    }

    public void Restart(SimHost host, bool hasOtherMembership)
    {
        if (!host.IsUp)
        {
            return;
        }

        foreach (var process in host.Processes)
        {
            process.Die();
        }

        // A memory counts for its own membership alone (R7).
        host.VoterOnTmpfs = null;
        host.LeaseOnTmpfs = null;
        StartDaemon(host, hasOtherMembership);
    }

    /// <summary>Starts the processes that do not run.</summary>
    public void StartDaemon(SimHost host, bool hasOtherMembership = false)
    {
        if (!host.IsUp)
        {
            return;
        }

        host.Processes.RemoveAll(process => !process.IsAlive);
        var isSplit = Plan.IsSplit && host.HasData;
        foreach (var (hasVoter, hasCandidate) in isSplit ? [(true, false), (false, true)] : new[] { (true, host.HasData) })
        {
            if (host.Processes.Any(process => process.Settings.HasVoter == hasVoter && process.Settings.HasCandidate == hasCandidate))
            {
                continue;
            }

            StartProcess(host, hasVoter, hasCandidate, hasOtherMembership);
        }
    }

    private void StartProcess(SimHost host, bool hasVoter, bool hasCandidate, bool hasOtherMembership)
    {
        var settings = new NodeSettings
        {
            Self = host.Id,
            NodeName = host.Name,
            Membership = hasOtherMembership ? _otherMembership : _membership,
            Lease = Plan.Lease,
            HasVoter = hasVoter,
            HasCandidate = hasCandidate,
            IsWitness = !host.HasData,
            AllowReads = Plan.AllowReads,
            Address = host.Name,
            ServerPort = 5432,
            Failover = Plan.Failover,
            Moves = Plan.Moves,
            MoveHook = Plan.Seed % 3 == 0 ? TimeSpan.FromSeconds(2) : null,
        };

        // A candidate resumes while its lease still runs, without attempts in flight; else it is a new owner.
        var lease = hasCandidate && host.LeaseOnTmpfs is { Held: { } held } kept && host.Now < held.FenceAt
            ? kept with { Attempt = null, Releasing = null, IsYielding = false, NextRenewal = host.Now }
            : null;
        var start = Mutation.Start(new NodeStart
        {
            Incarnation = new Incarnation(_runs.Next() | 1),
            UnixMillis = 1_700_000_000_000 + Agenda.Now / Span.Millisecond + host.WallOffsetMillis,
            Voter = hasVoter ? host.VoterOnTmpfs : null,
            Lease = lease,
            Timeline = host.TimelineOnDisk,
            Memory = host.Kept,
            GateOnDisk = host.Block,
            TermOnDisk = host.BlockTerm,
            IsPromotionPending = host.Server.IsRunning && host.Server.PromotedRun == host.Server.UpSince,
        });
        Note(host.Name, $"starts{(start.Voter is null ? "" : " with its votes")}{(lease is null ? "" : " with its lease")}");
        var process = new SimProcess(this, host, settings, NodeMachine.Create(settings, start, host.Now)) { BegunAt = Agenda.Now };
        host.Processes.Add(process);
        process.Start();
    }
}
