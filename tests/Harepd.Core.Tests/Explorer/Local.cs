using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Explorer;

/// <summary>A candidate with what stands around it.</summary>
/// <param name="Lease">The product's state.</param>
/// <param name="GateUntil">Until when the gate may be open, or null when it is shut. The guard shuts it then; <see cref="Instant.Forever"/>: nobody does.</param>
/// <param name="HasLateOpening">An opening effect has not been executed yet (only where that is the flaw).</param>
/// <param name="OnFile">The lease that the resume file still holds (only where that is the flaw).</param>
internal sealed record Candidate(LeaseState Lease, Instant? GateUntil, bool HasLateOpening, HeldLease? OnFile)
{
    /// <summary>It believes that it holds, or its gate may be open.</summary>
    public bool Claims => GateUntil is not null || (Lease.Held is { } held && Bounds.Base < held.Deadline);
}

/// <summary>Brings states into one form each, with every instant relative to a clock that stands still, and makes keys of them.</summary>
internal static class Local
{
    public static VoterState Canonical(VoterState voter, Flaw flaw) => voter with
    {
        Lease = voter.LiveAt(Bounds.Base),
        AbstainUntil = Instant.Max(voter.AbstainUntil, Bounds.Base),

        // What is refused as too low need not be refused as released as well.
        Released = flaw.HasNoFloor || flaw.ForgetsPromise
            ? voter.Released
            : voter.Released.RemoveRange(voter.Released.Where(pair => pair.Value < voter.Highest).Select(pair => pair.Key)),
    };

    public static Candidate Canonical(Candidate candidate, Flaw flaw)
    {
        var lease = candidate.Lease;
        return candidate with
        {
            GateUntil = candidate.GateUntil is { } until && until > Bounds.Base ? until : null,
            OnFile = candidate.OnFile is { } file && file.Deadline > Bounds.Base ? file : null,
            Lease = lease with
            {
                Seed = 1,
                RoundFloorAt = Bounds.Base,
                Highest = lease.HighestSent,
                Attempt = lease.Attempt is { } attempt
                    ? attempt with { Yes = [], No = [], LastSent = Bounds.Base, Deadline = NotPast(attempt.Deadline) }
                    : null,
                Held = lease.Held is { } held
                    ? held with { Voters = [], Term = default, Ballot = flaw.NeedsHeldBallot ? held.Ballot : default, Deadline = NotPast(held.Deadline), FenceAt = NotPast(held.Deadline) }
                    : null,
                Releasing = null,
                NextElection = Bounds.Base,
                NextRenewal = Bounds.Base,
                FailedElections = 0,
                LastRefusal = RefusalReason.None,
                LastHolder = null,
            },
        };
    }

    public static VoterState Later(VoterState voter, int units, Flaw flaw)
    {
        var moved = Canonical(
            voter with
            {
                Lease = voter.Lease is { } lease ? lease with { Expiry = Move(lease.Expiry, units) } : null,
                AbstainUntil = Move(voter.AbstainUntil, units),
            },
            flaw);
        return flaw.ForgetsPromise && voter.Lease is not null && moved.Lease is null ? moved with { Highest = default } : moved;
    }

    /// <summary>The same with two members' names exchanged.</summary>
    public static VoterState Swap(VoterState voter, MemberId left, MemberId right) => voter with
    {
        Highest = Swap(voter.Highest, left, right),
        Lease = voter.Lease is { } lease
            ? new LeaseRecord(lease.Owner with { Member = Swap(lease.Owner.Member, left, right) }, Swap(lease.Ballot, left, right), lease.Expiry)
            : null,
        Released = voter.Released.ToImmutableSortedDictionary(pair => Swap(pair.Key, left, right), pair => Swap(pair.Value, left, right)),
    };

    public static Candidate Swap(Candidate candidate, MemberId left, MemberId right)
    {
        var lease = candidate.Lease;
        return candidate with
        {
            OnFile = candidate.OnFile is { } file ? file with { Ballot = Swap(file.Ballot, left, right) } : null,
            Lease = lease with
            {
                Me = lease.Me with { Member = Swap(lease.Me.Member, left, right) },
                HighestSent = Swap(lease.HighestSent, left, right),
                Attempt = lease.Attempt is { } attempt ? attempt with { Ballot = Swap(attempt.Ballot, left, right) } : null,
                Held = lease.Held is { } held ? held with { Ballot = Swap(held.Ballot, left, right) } : null,
            },
        };
    }

    private static Ballot Swap(Ballot ballot, MemberId left, MemberId right) =>
        ballot == default ? ballot : ballot with { Member = Swap(ballot.Member, left, right) };

    private static MemberId Swap(MemberId member, MemberId left, MemberId right) => member == left ? right : member == right ? left : member;

    public static Candidate Later(Candidate candidate, int units, Flaw flaw)
    {
        var lease = candidate.Lease;
        return Canonical(
            candidate with
            {
                GateUntil = candidate.GateUntil is { } until ? Move(until, units) : null,
                OnFile = candidate.OnFile is { } file ? file with { Deadline = Move(file.Deadline, units), FenceAt = Move(file.Deadline, units) } : null,
                Lease = lease with
                {
                    Attempt = lease.Attempt is { } attempt ? attempt with { Began = Move(attempt.Began, units), Deadline = Move(attempt.Deadline, units) } : null,
                    Held = lease.Held is { } held ? held with { Deadline = Move(held.Deadline, units), FenceAt = Move(held.FenceAt, units) } : null,
                },
            },
            flaw);
    }

    public static string KeyOf(VoterState voter)
    {
        var text = new StringBuilder();
        text.Append(Of(voter.Highest)).Append('|').Append(Of(voter.AbstainUntil)).Append('|');
        if (voter.Lease is { } lease)
        {
            text.Append(Of(lease.Ballot)).Append('~').Append(lease.Owner).Append('~').Append(Of(lease.Expiry));
        }

        foreach (var (member, ballot) in voter.Released)
        {
            text.Append('|').Append(member).Append('=').Append(Of(ballot));
        }

        return text.ToString();
    }

    public static string KeyOf(Candidate candidate)
    {
        var lease = candidate.Lease;
        var attempt = lease.Attempt is { } a ? $"{Of(a.Ballot)} {a.Phase} {a.IsRenewal} {Of(a.Deadline)}" : "";
        var held = lease.Held is { } h ? $"{Of(h.Ballot)} {Of(h.Deadline)}" : "";
        var file = candidate.OnFile is { } f ? $"{Of(f.Ballot)} {Of(f.Deadline)}" : "";
        return $"{lease.Me}|{Of(lease.HighestSent)}|{attempt}|{held}|{lease.IsYielding}|{(candidate.GateUntil is { } until ? Of(until) : "")}|{candidate.HasLateOpening}|{file}";
    }

    private static Instant NotPast(Instant at) => Instant.Max(at, Bounds.Base);

    private static Instant Move(Instant at, int units) => at == Instant.Forever ? at : at - Bounds.Unit * units;

    private static string Of(Ballot ballot) => string.Create(CultureInfo.InvariantCulture, $"{ballot.Round}.{ballot.Member.Address}.{ballot.Incarnation.Value}");

    private static string Of(Instant at) => at == Instant.Forever ? "ever" : ((at - Bounds.Base).Ticks / Bounds.Unit.Ticks).ToString(CultureInfo.InvariantCulture);
}
