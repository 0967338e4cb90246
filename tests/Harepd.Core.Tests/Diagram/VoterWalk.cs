using Harepd.Core.Decide;
using Harepd.Core.Model;
using static Harepd.Core.Tests.Samples;

namespace Harepd.Core.Tests.Diagram;

/// <summary>What the product's voter answers to each request in each of its states.</summary>
internal static class VoterWalk
{
    private static readonly Instant Now = At(1000);

    private static readonly (string Name, VoterState State)[] States =
    [
        ("abstains", Voter() with { AbstainUntil = Now + TimeSpan.FromSeconds(1) }),
        ("free", Voter() with { Highest = BallotOf(5, B) }),
        ("recorded A as the owner", Ask(Voter(), Accept(BallotOf(5, A)), At(0)).State),
        ("A's record ran out", Ask(Voter(), Accept(BallotOf(5, A)), Now - Settings.HoldFor(Settings.Duration)).State),
        ("A released", Ask(Ask(Voter(), Accept(BallotOf(5, A)), At(0)).State, Release(BallotOf(5, A)), At(1)).State),
        ("lost its note of timelines", Voter() with { Timeline = default, IsTimelineLost = true }),
    ];

    private static readonly (string Name, LeaseRequest Request)[] Requests =
    [
        ("Prepare of A, higher ballot", Prepare(BallotOf(9, A))),
        ("Prepare of B, higher ballot", Prepare(BallotOf(9, B))),
        ("Accept of A, higher ballot", Accept(BallotOf(9, A))),
        ("Accept of A again, same ballot", Accept(BallotOf(5, A))),
        ("Accept of A after a restart of A", Accept(BallotOf(9, A, run: 2))),
        ("Accept of B, higher ballot", Accept(BallotOf(9, B))),
        ("Accept of B, lower ballot", Accept(BallotOf(2, B))),
        ("Accept of A, new timeline", Accept(BallotOf(9, A), timeline: Second)),
        ("Release by A", Release(BallotOf(9, A))),
    ];

    /// <summary>A row for each request, a column for each state.</summary>
    public static IEnumerable<IEnumerable<string>> Table() =>
    [
        ["", .. States.Select(state => state.Name)],
        .. Requests.Select(request => (IEnumerable<string>)[request.Name, .. States.Select(state => Answer(state.State, request.Request))]),
    ];

    private static string Answer(VoterState state, LeaseRequest request) => Ask(state, request, Now) switch
    {
        { MakeDurable: not null } => "saves the timeline first, \"ask again\"",
        { Reply: LeaseReply.Promised } => "promises",
        { Reply: LeaseReply.Accepted } step when state.LiveAt(Now) is { } before && step.State.Lease!.Owner == before.Owner => "accepts, records A for longer",
        { Reply: LeaseReply.Accepted } step => $"accepts, records {step.State.Lease!.Owner.Member.Address[..1].ToUpperInvariant()}",
        { Reply: LeaseReply.Released } step => step.Frees ? "notes it, is free" : "notes it",
        { Reply: LeaseReply.Refused { Reason: var reason } } => $"no: {reason}",
        var other => throw new InvalidOperationException($"{other.Reply.GetType().Name}"),
    };
}
