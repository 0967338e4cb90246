using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;

namespace Harepd.Core.Tests;

/// <summary>The cast of the tests: three members, one cluster, one system, a few moments.</summary>
internal static class Samples
{
    public static readonly MemberId A = new("a:1");
    public static readonly MemberId B = new("b:1");
    public static readonly MemberId W = new("w:1");

    public static readonly Membership Three = new("test", 1, [A, B, W]);
    public static readonly LeaseSettings Settings = new();
    public static readonly LeaseRules Rules = new(Three, Settings);

    public static readonly SystemId OneSystem = new(7001);
    public static readonly TimelinePoint First = new(1, default);
    public static readonly TimelinePoint Second = new(2, new Lsn(0x3000148));
    public static readonly Candidacy OnFirst = new(First, OneSystem);

    /// <summary>The tests begin at this moment of the boot-time clock, well above zero.</summary>
    public static readonly Instant Start = new(1_000_000_000_000);

    public static Instant At(double milliseconds) => Start + TimeSpan.FromMilliseconds(milliseconds);

    public static LeaseOwner OwnerOf(MemberId member, ulong run = 1) => new(member, new Incarnation(run));

    public static Ballot BallotOf(long round, MemberId member, ulong run = 1) => new(round, member, new Incarnation(run));

    public static LeaseRequest.Prepare Prepare(Ballot ballot) => new(Three.Stamp, ballot);

    public static LeaseRequest.Accept Accept(Ballot ballot, TimeSpan? duration = null, TimelinePoint? timeline = null, SystemId? system = null) =>
        new(Three.Stamp, ballot, duration ?? Settings.Duration, timeline ?? First, system ?? OneSystem);

    public static LeaseRequest.Release Release(Ballot ballot) => new(Three.Stamp, ballot);

    /// <summary>A voter that knows the first timeline and is past its abstention.</summary>
    public static VoterState Voter() => new() { Timeline = new DurableTimeline(OneSystem, First) };

    public static VoterStep Ask(VoterState state, LeaseRequest request, Instant now) => Core.Decide.Voter.Handle(state, request, W, Three, Settings, now);

    public static LeaseState Candidate(MemberId? member = null, ulong run = 1) => new()
    {
        Me = OwnerOf(member ?? A, run),
        RoundFloor = 0,
        RoundFloorAt = Start,
        Seed = 88172645463325252,
    };

    public static ServerObservation Server(ServerHealth health, bool? inRecovery, Instant at, TimelinePoint? timeline = null) => new()
    {
        At = at,
        Health = health,
        InRecovery = inRecovery,
        Timeline = timeline ?? First,
        SystemId = OneSystem,
        WriteLsn = new Lsn(0x3000000),
        ReplayLsn = new Lsn(0x3000000),
        HasReceived = inRecovery == true,
    };

    public static ServerObservation Primary(Instant at, TimelinePoint? timeline = null) => Server(ServerHealth.Running, false, at, timeline);

    /// <summary>A primary that waits for so many of these, and from which those stream that have everything.</summary>
    public static ServerObservation Waiting(Instant at, int count, string[] names, string[] streaming) => Primary(at) with
    {
        Synchrony = new Synchrony(count, names),
        IsSynchronyTaken = true,
        Replicas = [.. streaming.Select(name => new ReplicaLink(name, name, "streaming", "quorum", new Lsn(0x3000000), new Lsn(0x3000000)))],
    };

    public static ServerObservation Standby(Instant at, TimelinePoint? timeline = null) => Server(ServerHealth.Running, true, at, timeline);

    public static NodeReport Report(MemberId member, long version, Gate gate = Gate.Fenced, Term heldTerm = default, ulong run = 1) => new()
    {
        Member = member,
        Incarnation = new Incarnation(run),
        Version = version,
        NodeName = member.Address,
        Gate = gate,
        HeldTerm = heldTerm,
    };
}
