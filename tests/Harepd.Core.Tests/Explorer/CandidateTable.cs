using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Explorer;

/// <summary>The state after a move and what it sent; <see cref="Id"/> is negative when the move is not possible.</summary>
/// <param name="Id">The next state's number.</param>
/// <param name="IsPrepareSent">A Prepare of the ballot in flight left.</param>
/// <param name="IsAcceptSent">An Accept of the ballot in flight left.</param>
/// <param name="Released">The round that a release named; 0 for none.</param>
internal readonly record struct Moved(int Id, bool IsPrepareSent, bool IsAcceptSent, int Released)
{
    public static readonly Moved Impossible = new(-1, false, false, 0);

    public bool IsPossible => Id >= 0;
}

/// <summary>All states of a candidate that were met, and what the product makes of each. Every step is the product's own.</summary>
internal sealed class CandidateTable(Bounds bounds, Flaw flaw)
{
    private static readonly Candidacy Candidacy = new(Samples.First, Samples.OneSystem);
    private readonly List<Candidate> _states = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private const int Arguments = 8;
    private const int Kinds = 18;
    private static readonly Moved NotYet = new(-2, false, false, 0);
    private readonly List<Moved[]> _moves = [];
    private LeaseOutput.Send[] _sent = [];
    private readonly LeaseRules _rules = bounds.Rules;
    private readonly LeaseRules _shortRules = new(bounds.Membership, bounds.Settings with { Duration = Bounds.Unit });

    public int Count => _states.Count;

    public Candidate this[int id] => _states[id];

    public int IdOf(Candidate candidate)
    {
        candidate = Local.Canonical(candidate, flaw);
        var key = Local.KeyOf(candidate);
        if (!_ids.TryGetValue(key, out var id))
        {
            id = _states.Count;
            _ids[key] = id;
            _states.Add(candidate);
            _moves.Add(Enumerable.Repeat(NotYet, Kinds * Arguments).ToArray());
        }

        return id;
    }

    public int Fresh(int member, int incarnation) => IdOf(new Candidate(LeaseOf(member, incarnation), null, false, null));

    /// <summary>Begins an election or a renewal in this round. Who does not hold must have shut its gate (R7).</summary>
    public Moved Begin(int id, int round, bool isShort = false) => Move(id, isShort ? 1 : 0, round, candidate =>
    {
        var lease = candidate.Lease;
        if (lease.IsYielding || round <= lease.HighestSent.Round || (lease.Held is null && (candidate.GateUntil is not null || lease.Attempt is not null)))
        {
            return null;
        }

        var step = flaw.Tick(lease with { Highest = Ballot.OfTerm(new Term(round - 1)) }, isShort ? _shortRules : _rules, Candidacy);
        return step.State.Attempt?.Ballot.Round == round ? Settle(candidate, step) : null;
    });

    /// <summary>Takes in these voters' yeses to the attempt in flight, one after the other.</summary>
    public Moved Answered(int id, bool areAccepted, int voters) => Move(id, areAccepted ? 3 : 2, voters, candidate =>
    {
        if (candidate.Lease.Attempt is not { } attempt)
        {
            return null;
        }

        var lease = candidate.Lease;
        LeaseStep step = default;
        for (var i = 0; i < Bounds.Voters; i++)
        {
            if ((voters >> i & 1) == 1)
            {
                var voter = Bounds.Members[i];
                LeaseReply reply = areAccepted ? new LeaseReply.Accepted(voter, attempt.Ballot) : new LeaseReply.Promised(voter, attempt.Ballot);
                step = flaw.Reply(lease, _rules, Candidacy, reply);
                lease = step.State;
            }
        }

        return Settle(candidate, step);
    });

    /// <summary>A step of the machine without a candidacy: what is over is noticed.</summary>
    public Moved Notice(int id) => Move(id, 4, 0, candidate => Settle(candidate, flaw.Tick(candidate.Lease, _rules, null)));

    public Moved Withdraw(int id) => Move(id, 5, 0, candidate =>
        candidate.Lease is { Attempt.IsRenewal: false, Held: null, IsYielding: false } ? Settle(candidate, LeaseMachine.Withdraw(candidate.Lease, _rules, Bounds.Base)) : null);

    public Moved GiveUp(int id) => Move(id, 6, 0, candidate =>
        candidate.Lease.Held is null ? null : Settle(candidate, flaw.GiveUp(candidate.Lease)));

    /// <summary>The gate is shut and confirmed; what was given up is released by the product.</summary>
    public Moved Shut(int id) => Move(id, 7, 0, candidate => candidate.Lease.Held is not null || !(candidate.Lease.IsYielding || candidate.GateUntil is not null)
        ? null
        : Settle(candidate with { GateUntil = null, OnFile = Filed(candidate) }, LeaseMachine.GateShut(candidate.Lease, _rules, Bounds.Base)));

    /// <summary>The process ends and another run begins as a new owner; the gate stays as it was until it or the guard shuts it.</summary>
    public Moved Crash(int id) => Move(id, 8, 0, candidate => candidate.Lease.Me.Incarnation.Value >= 3
        ? null
        : new Candidate(LeaseOf(MemberOf(candidate), (int)candidate.Lease.Me.Incarnation.Value + 1), candidate.GateUntil, false, null));

    /// <summary>The process ends and the next run resumes the lease without what was in flight.</summary>
    public Moved Resume(int id) => Move(id, 9, 0, candidate => candidate.Lease is { Held: not null, Attempt: not null }
        ? candidate with { Lease = candidate.Lease with { Attempt = null } }
        : null);

    public Moved Later(int id, int units) => Move(id, 10, units, candidate => Local.Later(candidate, units, flaw));

    /// <summary>The same state with two candidates' names exchanged.</summary>
    public int Swap(int id, int left, int right) =>
        Move(id, 17, left + right, candidate => Local.Swap(candidate, Bounds.Members[left], Bounds.Members[right])).Id;

    // The moves below exist only where they are the flaw.

    public Moved ReleaseEarly(int id) => Move(id, 11, 0, candidate => candidate.Lease.IsYielding
        ? Settle(candidate, LeaseMachine.GateShut(candidate.Lease, _rules, Bounds.Base))
        : null);

    public Moved OpenLate(int id) => Move(id, 12, 0, candidate => candidate.HasLateOpening
        ? candidate with { HasLateOpening = false, GateUntil = candidate.Lease.Held is { } held ? held.Deadline : Instant.Forever }
        : null);

    public Moved RestartTimer(int id) => Move(id, 13, 0, candidate => candidate.Lease.Attempt is { } attempt && attempt.Deadline < Bounds.Base + bounds.Settings.Duration
        ? candidate with { Lease = candidate.Lease with { Attempt = attempt with { Began = Bounds.Base, Deadline = Bounds.Base + bounds.Settings.Duration } } }
        : null);

    public Moved RenewAlike(int id) => Move(id, 14, 0, candidate => candidate.Lease is { Held: { } held, Attempt: null }
        ? candidate with
        {
            Lease = candidate.Lease with
            {
                Attempt = new LeaseAttempt
                {
                    Ballot = held.Ballot,
                    Phase = AttemptPhase.Accept,
                    IsRenewal = true,
                    Began = Bounds.Base,
                    Deadline = Bounds.Base + bounds.Settings.Duration,
                    LastSent = Bounds.Base,
                    For = Candidacy,
                },
            },
        }
        : null);

    public Moved ResumeFile(int id) => Move(id, 15, 0, candidate => candidate is { OnFile: { } file, Lease.Held: null }
        ? candidate with { OnFile = null, GateUntil = file.Deadline, Lease = candidate.Lease with { Held = file, Attempt = null } }
        : null);

    public Moved DropRenewal(int id) => Move(id, 16, 0, candidate => candidate.Lease is { Attempt.IsRenewal: true }
        ? candidate with { Lease = candidate.Lease with { Attempt = null } }
        : null);

    private HeldLease? Filed(Candidate candidate) => flaw.ResumesReleased && candidate.GateUntil is { } until
        ? new HeldLease(default, candidate.Lease.HighestSent, until, until, [])
        : null;

    /// <summary>The gate follows the lease: it may be open from the moment of winning, and the guard knows until when.</summary>
    private Candidate Settle(Candidate candidate, LeaseStep step)
    {
        _sent = [.. _sent, .. step.Output.OfType<LeaseOutput.Send>()];
        var before = candidate.Lease.Held;
        var next = candidate with { Lease = step.State };
        if (step.State.Held is not { } held || held == before)
        {
            return next;
        }

        if (flaw.OpensLate && before is null)
        {
            return next with { HasLateOpening = true };
        }

        return flaw.OpensLate && next.GateUntil is null
            ? next
            : next with { GateUntil = flaw.ExpiresByTimer ? Instant.Forever : held.Deadline };
    }

    private static LeaseState LeaseOf(int member, int incarnation) => new()
    {
        Me = new LeaseOwner(Bounds.Members[member], new Incarnation((ulong)incarnation)),
        RoundFloor = 0,
        RoundFloorAt = Bounds.Base,
        Seed = 1,
    };

    private static int MemberOf(Candidate candidate) => Array.IndexOf(Bounds.Members, candidate.Lease.Me.Member);

    private Moved Move(int id, int kind, int argument, Func<Candidate, Candidate?> move)
    {
        var key = kind * Arguments + argument;
        var next = _moves[id][key];
        if (next == NotYet)
        {
            _sent = [];
            next = move(_states[id]) is { } moved
                ? new Moved(
                    IdOf(moved),
                    _sent.Any(send => send.Request is LeaseRequest.Prepare),
                    _sent.Any(send => send.Request is LeaseRequest.Accept),
                    (int)(_sent.FirstOrDefault(send => send.Request is LeaseRequest.Release)?.Request.Ballot.Round ?? 0))
                : Moved.Impossible;
            _moves[id][key] = next;
        }

        return next;
    }
}
