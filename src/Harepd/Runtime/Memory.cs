using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Runtime;

/// <summary>What the resume files hold (R7): one for the voter, one for the candidate, each valid only within one boot of one machine.</summary>
internal sealed record VoterMemory
{
    public required MemoryScope Scope { get; init; }

    public required BallotMemory Highest { get; init; }

    public BallotMemory? LeaseBallot { get; init; }

    public long LeaseExpiryNanos { get; init; }

    public required long AbstainUntilNanos { get; init; }

    public required BallotMemory[] Released { get; init; }

    /// <summary>What the holder of the highest ballot said it waits for; null where nothing is known.</summary>
    public SynchronyMemory? Note { get; init; }

    public static VoterMemory Of(VoterState voter, MemoryScope scope) => new()
    {
        Scope = scope,
        Highest = BallotMemory.Of(voter.Highest),
        LeaseBallot = voter.Lease is { } lease ? BallotMemory.Of(lease.Ballot) : null,
        LeaseExpiryNanos = voter.Lease?.Expiry.Nanos ?? 0,
        AbstainUntilNanos = voter.AbstainUntil.Nanos,
        Released = [.. voter.Released.Values.Select(BallotMemory.Of)],
        Note = voter.Note is { } note ? SynchronyMemory.Of(note) : null,
    };

    public VoterState ToState() => new()
    {
        Highest = Highest.ToBallot(),
        Lease = LeaseBallot is { } ballot ? new LeaseRecord(ballot.ToBallot().Owner, ballot.ToBallot(), new Instant(LeaseExpiryNanos)) : null,
        AbstainUntil = new Instant(AbstainUntilNanos),
        Note = Note?.ToNote(),
        Released = Released.Select(ballot => ballot.ToBallot()).ToImmutableSortedDictionary(ballot => ballot.Member, ballot => ballot),
    };
}

/// <summary>The candidate's half: its incarnation, the lease it holds, and the highest ballot it sent (what a release names).</summary>
internal sealed record CandidateMemory
{
    public required MemoryScope Scope { get; init; }

    public required ulong Incarnation { get; init; }

    public required long RoundFloor { get; init; }

    public required BallotMemory HighestSent { get; init; }

    public required BallotMemory Highest { get; init; }

    public long HeldTerm { get; init; }

    public BallotMemory? HeldBallot { get; init; }

    public long HeldDeadlineNanos { get; init; }

    public long HeldFenceAtNanos { get; init; }

    public long RoundFloorAtNanos { get; init; }

    /// <summary>What the lease was given for: without it a resumed holder could not renew before the first look at its server.</summary>
    public TimelineMemory? HeldUnder { get; init; }

    public static CandidateMemory Of(LeaseState lease, MemoryScope scope) => new()
    {
        Scope = scope,
        Incarnation = lease.Me.Incarnation.Value,
        RoundFloor = lease.RoundFloor,
        HighestSent = BallotMemory.Of(lease.HighestSent),
        Highest = BallotMemory.Of(lease.Highest),
        HeldTerm = lease.Held?.Term.Value ?? 0,
        HeldBallot = lease.Held is { } held ? BallotMemory.Of(held.Ballot) : null,
        HeldDeadlineNanos = lease.Held?.Deadline.Nanos ?? 0,
        HeldFenceAtNanos = lease.Held?.FenceAt.Nanos ?? 0,
        RoundFloorAtNanos = lease.RoundFloorAt.Nanos,
        HeldUnder = lease.Held?.Under is { } under ? TimelineMemory.Of(new DurableTimeline(under.System, under.Timeline), sequence: 1) : null,
    };

    /// <summary>The state to resume, or null when no lease is held any more: then a new owner begins (R7).</summary>
    public LeaseState? ToState(MemberId self, Instant now)
    {
        if (HeldBallot is not { } ballot || now >= new Instant(HeldFenceAtNanos))
        {
            return null;
        }

        var under = HeldUnder?.ToTimeline() is { } known ? new Candidacy(known.Point, known.System) : null;
        return new LeaseState
        {
            Me = new LeaseOwner(self, new Incarnation(Incarnation)),
            RoundFloor = RoundFloor,
            RoundFloorAt = new Instant(RoundFloorAtNanos),
            Seed = Incarnation | 1,
            Highest = Highest.ToBallot(),
            HighestSent = HighestSent.ToBallot(),
            Held = new HeldLease(new Term(HeldTerm), ballot.ToBallot(), new Instant(HeldDeadlineNanos), new Instant(HeldFenceAtNanos), []) { Under = under },
            NextRenewal = now,
        };
    }
}

/// <summary>For whom a memory counts: the same boot, cluster, member, membership and cap, or not at all.</summary>
internal sealed record MemoryScope(string BootId, string Cluster, string Member, long Epoch, ulong Hash, long MaxDurationTicks);

/// <summary>A ballot as the file holds it.</summary>
internal sealed record BallotMemory(long Round, string Member, ulong Incarnation)
{
    public static BallotMemory Of(Ballot ballot) => new(ballot.Round, ballot.Member.Address ?? "", ballot.Incarnation.Value);

    public Ballot ToBallot() => Round == 0 && Member.Length == 0
        ? default
        : new Ballot(Round, new MemberId(Member), new Incarnation(Incarnation));
}

/// <summary>A note on what a holder waits for, as the file holds it; no names: it did not say.</summary>
internal sealed record SynchronyMemory(BallotMemory Ballot, ulong System, uint Timeline, ulong SwitchLsn, int Count, string[]? Names)
{
    public static SynchronyMemory Of(SynchronyNote note) => new(
        BallotMemory.Of(note.Ballot), note.System.Value, note.Timeline.Timeline, note.Timeline.SwitchLsn.Value, note.Stated?.Count ?? 0, note.Stated is { } stated ? [.. stated.Names] : null);

    public SynchronyNote ToNote() => new(
        Ballot.ToBallot(), new SystemId(System), new TimelinePoint(Timeline, new Lsn(SwitchLsn)), Names is null ? null : new Synchrony(Count, Names));
}

/// <summary>JSON without reflection, so that a trimmed build reads and writes it, too.</summary>
[JsonSerializable(typeof(VoterMemory))]
[JsonSerializable(typeof(CandidateMemory))]
[JsonSerializable(typeof(TimelineMemory))]
[JsonSerializable(typeof(MembershipMemory))]
[JsonSerializable(typeof(KeptMemory))]
internal sealed partial class MemoryJson : JsonSerializerContext;

/// <summary>What survives the machine: the highest timeline of any holder. <see cref="Sum"/> tells a whole record from a torn one.</summary>
internal sealed record TimelineMemory
{
    public required long Sequence { get; init; }

    public required ulong SystemId { get; init; }

    public required uint Timeline { get; init; }

    public required ulong SwitchLsn { get; init; }

    public required ulong Sum { get; init; }

    [JsonIgnore]
    public bool IsWhole => Sequence > 0 && Sum == SumOf(Sequence, SystemId, Timeline, SwitchLsn);

    public DurableTimeline ToTimeline() => new(new SystemId(SystemId), new TimelinePoint(Timeline, new Lsn(SwitchLsn)));

    public static TimelineMemory Of(DurableTimeline timeline, long sequence) => new()
    {
        Sequence = sequence,
        SystemId = timeline.System.Value,
        Timeline = timeline.Point.Timeline,
        SwitchLsn = timeline.Point.SwitchLsn.Value,
        Sum = SumOf(sequence, timeline.System.Value, timeline.Point.Timeline, timeline.Point.SwitchLsn.Value),
    };

    /// <summary>FNV-1a over the four numbers.</summary>
    private static ulong SumOf(long sequence, ulong system, uint timeline, ulong lsn)
    {
        var hash = 14695981039346656037UL;
        foreach (var number in new[] { (ulong)sequence, system, timeline, lsn })
        {
            for (var shift = 0; shift < 64; shift += 8)
            {
                hash = unchecked((hash ^ ((number >> shift) & 0xFF)) * 1099511628211UL);
            }
        }

        return hash;
    }
}
