using Harepd.Core.Decide;
using Harepd.Core.Model;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Diagram;

/// <summary>One way from one state of the candidate to the next.</summary>
/// <param name="Does">What goes out or is told, in order.</param>
internal sealed record Passage(string From, string On, string To, string Does);

/// <summary>Every passage between the candidate's states, found by driving the product's own functions from state to state until nothing new is met.</summary>
internal static class CandidateWalk
{
    private static readonly MemberId[] Voters = [A, B, W];

    /// <summary>What may happen to a candidate; null where it cannot happen in that state.</summary>
    private static readonly (string Name, Func<LeaseState, Instant, (Instant At, LeaseStep Step)?> Do)[] Events =
    [
        ("its server is writable", (state, now) => state is { Held: null, Attempt: null, IsYielding: false } ? Later(state, Instant.Max(now, state.NextElection)) : null),
        ("promised by a majority", (state, now) => Answer(state, now, AttemptPhase.Prepare, (voter, ballot) => new LeaseReply.Promised(voter, ballot))),
        ("accepted by a majority", (state, now) => Answer(state, now, AttemptPhase.Accept, (voter, ballot) => new LeaseReply.Accepted(voter, ballot))),
        ("refused by a majority", (state, now) => Answer(state, now, null, (voter, ballot) => new LeaseReply.Refused(voter, ballot, RefusalReason.ForeignLease, ballot, null, TimeSpan.Zero))),
        ("no majority in time", (state, _) => state is { Held: null, Attempt: { } attempt } ? Later(state, attempt.Began + Settings.ElectionTimeout) : null),
        ("time to renew", (state, _) => state is { Held: not null, Attempt: null } ? Later(state, state.NextRenewal) : null),
        ("its server was promoted", (state, now) => state.Held is null ? null : (now, LeaseMachine.Rebind(state, Rules, OnFirst with { Timeline = Second }, now))),
        ("P + D - F without a renewal", (state, _) => state.Held is { } held ? Later(state, held.FenceAt) : null),
        ("server lost, clean stop, another primary", (state, now) => state.Held is null ? null : (now, LeaseMachine.GiveUp(state, ""))),
        ("its server is not writable any more", (state, now) => state is { Held: null, Attempt: not null } ? (now, LeaseMachine.Withdraw(state, Rules, now)) : null),
        ("gate shut and confirmed", (state, now) => state.IsYielding ? (now, LeaseMachine.GateShut(state, Rules, now)) : null),
    ];

    public static IReadOnlyList<Passage> All()
    {
        var found = new List<Passage>();
        var seen = new HashSet<string>();
        var open = new Queue<(LeaseState State, Instant Now)>([(Candidate(), At(0))]);
        while (open.TryDequeue(out var place))
        {
            foreach (var (name, happen) in Events)
            {
                if (happen(place.State, place.Now) is not var (at, step))
                {
                    continue;
                }

                var passage = new Passage(NameOf(place.State), name, NameOf(step.State), string.Join(", ", Said(step)));
                if ((passage.From != passage.To || passage.Does.Length > 0) && !found.Contains(passage))
                {
                    found.Add(passage);
                }

                if (seen.Add(KeyOf(step.State)))
                {
                    open.Enqueue((step.State, at));
                }
            }
        }

        return found;
    }

    private static string NameOf(LeaseState state) => state switch
    {
        { IsYielding: true } => "Yielding",
        { Held: not null, Attempt: not null } => "Renewing",
        { Held: not null } => "Holding",
        { Attempt.Phase: AttemptPhase.Prepare } => "Preparing",
        { Attempt.Phase: AttemptPhase.Accept } => "Asking",
        _ => "Idle",
    };

    // What a passage can depend on: the phase, who has answered, and whether a release is still under way.
    private static string KeyOf(LeaseState state) => $"{NameOf(state)} {state.Attempt?.Yes.Count} {state.Attempt?.No.Count} {state.Releasing is not null} {state.Attempt?.For?.Timeline}";

    private static (Instant At, LeaseStep Step)? Later(LeaseState state, Instant at) => (at, LeaseMachine.Tick(state, Rules, OnFirst, at));

    private static (Instant At, LeaseStep Step)? Answer(LeaseState state, Instant now, AttemptPhase? phase, Func<MemberId, Ballot, LeaseReply> reply)
    {
        if (state.Attempt is not { } attempt || (phase is { } wanted && attempt.Phase != wanted))
        {
            return null;
        }

        var voter = Voters.First(voter => !attempt.Yes.Contains(voter) && !attempt.No.Contains(voter));
        return (now, LeaseMachine.OnReply(state, Rules, OnFirst, reply(voter, attempt.Ballot), now));
    }

    private static IEnumerable<string> Said(LeaseStep step) => step.Output
        .Select(output => output switch
        {
            LeaseOutput.Send { Request: LeaseRequest.Prepare } => "send Prepare",
            LeaseOutput.Send { Request: LeaseRequest.Accept } => "send Accept",
            LeaseOutput.Send { Request: LeaseRequest.Release } => "send Release",
            LeaseOutput.Acquired => "the gate may open",
            LeaseOutput.Renewed => "the lease is longer",
            LeaseOutput.Yielded => "shut the gate",
            _ => "",
        })
        .Where(text => text.Length > 0)
        .Distinct();
}
