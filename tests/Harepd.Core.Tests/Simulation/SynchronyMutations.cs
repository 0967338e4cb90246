using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Tests.Simulation;

/// <summary>Bugs in what is said of synchronous replication, in what is made of it, and in its order (ADR 0018).</summary>
internal static class SynchronyMutations
{
    public static IReadOnlyList<Mutation> All { get; } =
    [
        new Bug("less is waited for before a majority noted it")
        {
            // What the voters know is not looked at, and they are told a second after it is in force.
            OnState = (state, _) => state is { Synchrony.Target: not null, Lease: { Held: { Under: { } under } held } lease }
                ? state with { Lease = lease with { Held = held with { Ballot = lease.HighestSent, Under = under with { Stated = null } } } }
                : state,
            OnEffect = (state, effect, now) => effect is Effect.Ask { Request: LeaseRequest.Accept { Stated: not null } accept } ask
                    && ((state.Synchrony.Open ?? state.Synchrony.Target) is not null || now - state.Synchrony.Since < TimeSpan.FromSeconds(1))
                ? ask with { Request = accept with { Stated = state.Synchrony.Recorded } }
                : effect,
            With = Faults.ServerCrash | Faults.SlowLooking,
            IsSmall = true,
        },
        new Bug("more is stated before the standby has everything")
        {
            OnState = (state, _) => state.Synchrony.From == default ? state : state with { Synchrony = state.Synchrony with { From = new Lsn(1) } },
            OnSeen = seen => seen with { Replicas = [.. seen.Replicas.Select(link => link with { FlushLsn = new Lsn(ulong.MaxValue >> 1) })] },
            With = Faults.ServerCrash | Faults.SlowLooking,
            IsSmall = true,
        },
        new Bug("more is stated before the server's processes took it in")
        {
            OnState = (state, now) => state with { Synchrony = state.Synchrony with { Proven = state.Synchrony.InForce ?? Synchrony.None } },
            OnSeen = seen => seen with { IsSynchronyTaken = true },
        },
        new Bug("the standbys are not asked how far they received")
        {
            OnState = (state, _) => state.Lease?.Attempt is { Phase: AttemptPhase.Prepare, IsRenewal: false } attempt && state.Promotion.Proof is null && attempt.Notes.Values.MaxBy(note => note.Ballot)?.Stated is { IsNone: false } stated
                ? state with { Promotion = state.Promotion with { Proof = new LossProof(attempt.Ballot, default) { Given = stated } } }
                : state,
        },
        new Bug("a voter keeps what was said first")
        {
            OnStep = (before, step) => before.Voter?.Note is { Stated.IsNone: false } kept && step.Voter is { Note: { } note } voter && note.Timeline == kept.Timeline
                ? step with { Voter = voter with { Note = kept with { Ballot = note.Ballot } } }
                : step,
        },
    ];

    private sealed class Bug(string name) : Mutation
    {
        public override string Name => name;

        public Faults With { get; init; } = Faults.ServerCrash | Faults.Cuts;

        /// <summary>Two data nodes and a witness, and more faults.</summary>
        public bool IsSmall { get; init; }

        public Func<NodeState, Effect, Instant, Effect> OnEffect { get; init; } = (_, effect, _) => effect;

        public Func<NodeState, Instant, NodeState> OnState { get; init; } = (state, _) => state;

        public Func<ServerObservation, ServerObservation> OnSeen { get; init; } = seen => seen;

        public Func<NodeState, NodeState, NodeState> OnStep { get; init; } = (_, after) => after;

        public override Faults Needs => With;

        public override bool NeedsManaged => true;

        // Few faults, or there is seldom anything that could be lost.
        public override Plan Sharpen(Plan plan)
        {
            var sharp = base.Sharpen(plan) with { Faults = With, FaultEvery = 3 * Span.Second, IsSynchronous = true };
            return IsSmall ? sharp with { FaultEvery = Span.Second, DataNodes = 2, Witnesses = 1 } : sharp;
        }

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now)
        {
            var before = OnState(state, now);
            var step = base.Step(before, settings, input is Input.Observed seen ? new Input.Observed(OnSeen(seen.Server)) : input, now);
            return new NodeStep(OnStep(before, step.State), [.. step.Effects.Select(effect => OnEffect(step.State, effect, now))]);
        }
    }
}
