using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Simulation;

/// <summary>Bugs above the lease, each around the product's functions or in the rooms of the simulated world.</summary>
internal static class Mutations
{
    public static IReadOnlyList<Mutation> All { get; } =
    [
        new OpenFirst(),
        new Room("a stale opening is done after the thaw") { LateOpening = true, With = Faults.Pause | Faults.GateSlow },
        new FallingTerm(),
        new AnyTimeline(),
        new Room("the block of another node is trusted") { AnyBlock = true },
        new Room("HAProxy is left as it was after its reload") { DeafProxies = true },
        new Room("HAProxy is steered after the lease") { LateSteering = true },
        new Room("the fence spares connections that still authenticate") { SparedSessions = true },
        new Guardless("the guard is not told of a renewal") { OnRenewal = true },
        new Guardless("the guard is not told at all") { OnRenewal = true, OnFirst = true },
        new UnconfirmedFence(),
        new OlderAnswer(),
        new OldMemory(),
        new ShutInName(),
        new WithoutDrift(),
        new LostAbstention(),
        new LostTimeline(),
        new Room("a promotion is begun after the lease") { LatePromotion = true, With = Faults.Pause | Faults.GateSlow, IsManaged = true },
        new Hasty("what is known to be lacking is not counted") { Change = policy => policy with { MaxLagBytes = long.MaxValue } },
        new Forgetful("readers are let in while a promotion is open") { Change = promotion => promotion with { IsPending = false }, With = Faults.SlowPromotion },
        new Impatient(),
        new Disobedient(),
        .. SynchronyMutations.All,
    ];

    /// <summary>What an operator ordered of the node is remembered and told, and decides nothing.</summary>
    private sealed class Disobedient : Mutation
    {
        public override string Name => "a fence that an operator ordered is not kept";

        public override Faults Needs => Faults.Switchover;

        public override bool NeedsManaged => true;

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now)
        {
            if (!state.Orders.IsFenced || now >= state.Orders.FencedUntil || input is Input.LocalOrdered)
            {
                return base.Step(state, settings, input, now);
            }

            var step = base.Step(state with { Orders = new LocalOrders() }, settings, input, now);
            return step with { State = step.State with { Orders = state.Orders } };
        }
    }

    /// <summary>A planned move goes on whatever the standby received: both sides' checks are off, for each alone would hold.</summary>
    private sealed class Impatient : Mutation
    {
        public override string Name => "a planned move does not wait for the standby to have everything";

        public override Faults Needs => Faults.Switchover | Faults.SlowLooking;

        public override bool NeedsManaged => true;

        // Few faults, or hardly a move gets that far.
        public override Plan Sharpen(Plan plan) => base.Sharpen(plan) with { Faults = Needs, FaultEvery = Span.Second };

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) => base.Step(
            state,
            settings,
            input is Input.Heard heard ? new Input.Heard([.. heard.Reports.Select(report => report with
            {
                Offer = report.Offer is { End.Value: > 0 } offer ? offer with { End = new Lsn(1) } : report.Offer,
                OfferAnswer = report.OfferAnswer is { Received.Value: > 0 } answer ? answer with { Received = new Lsn(ulong.MaxValue) } : report.OfferAnswer,
            })]) : input,
            now);
    }

    private sealed class Room(string name) : Mutation
    {
        public override string Name => name;

        public Faults With { get; init; }

        public override Faults Needs => With;

        public bool LateOpening { get; init; }

        public bool LateSteering { get; init; }

        public bool SparedSessions { get; init; }

        public bool AnyBlock { get; init; }

        public bool DeafProxies { get; init; }

        public bool LatePromotion { get; init; }

        public bool IsManaged { get; init; }

        public override bool NeedsManaged => IsManaged;

        public override bool PromotesLate => LatePromotion;

        public override bool OpensLate => LateOpening;

        public override bool SteersLate => LateSteering;

        public override bool SparesAuthenticating => SparedSessions;

        public override bool TrustsAnyBlock => AnyBlock;

        public override bool ForgetsProxies => DeafProxies;
    }

    private sealed class Guardless(string name) : Mutation
    {
        public override string Name => name;

        public bool OnRenewal { get; init; }

        public bool OnFirst { get; init; }

        public override bool ForgetsGuard(Effect.ArmWatchdog arm, Instant before) =>
            arm.FenceAt != Instant.Zero && (before == Instant.Zero ? OnFirst : OnRenewal);
    }

    /// <summary>The failover policy is another than the configured one.</summary>
    private sealed class Hasty(string name) : Mutation
    {
        public override string Name => name;

        public override bool NeedsManaged => true;

        public required Func<FailoverPolicy, FailoverPolicy> Change { get; init; }

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) =>
            base.Step(state, settings with { Failover = Change(settings.Failover) }, input, now);
    }

    /// <summary>Something of a failover is not remembered.</summary>
    private sealed class Forgetful(string name) : Mutation
    {
        public override string Name => name;

        public override bool NeedsManaged => true;

        public Faults With { get; init; }

        public override Faults Needs => With;

        public required Func<PromotionState, PromotionState> Change { get; init; }

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) =>
            base.Step(state with { Promotion = Change(state.Promotion) }, settings, input, now);
    }

    /// <summary>What is opened is begun before what is closed.</summary>
    private sealed class OpenFirst : Mutation
    {
        public override string Name => "open before close";

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now)
        {
            var step = base.Step(state, settings, input, now);
            return step with { Effects = [.. step.Effects.OrderBy(effect => effect is Effect.OpenGate or Effect.VerifyGate ? 0 : 1)] };
        }
    }

    /// <summary>Rounds begin at one, whatever the time and the disk say.</summary>
    private sealed class FallingTerm : Mutation
    {
        public override string Name => "the term falls";

        public override NodeStart Start(NodeStart start) => start with { UnixMillis = 1, TermOnDisk = default };
    }

    /// <summary>The voter takes the asker's timeline for the one it noted.</summary>
    private sealed class AnyTimeline : Mutation
    {
        public override string Name => "a wrong timeline is admitted";

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now)
        {
            if (input is Input.VoteAsked { Request: LeaseRequest.Accept accept } && state.Voter is { } voter)
            {
                state = state with { Voter = voter with { Timeline = new DurableTimeline(accept.System, accept.Timeline) } };
            }

            return base.Step(state, settings, input, now);
        }
    }

    private sealed class UnconfirmedFence : Mutation
    {
        public override string Name => "a gate that was not confirmed counts as shut";

        public override Faults Needs => Faults.GateFails;

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) => base.Step(
            state,
            settings,
            input is Input.GateApplied { IsConfirmed: false } applied && state.Gate.Asked is { } asked ? applied with { IsConfirmed = true, Gate = asked } : input,
            now);
    }

    private sealed class OlderAnswer : Mutation
    {
        public override string Name => "the answer to an older gate operation counts";

        public override Faults Needs => Faults.GateSlow;

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) =>
            base.Step(state, settings, input is Input.GateApplied applied ? applied with { Sequence = state.Gate.Sequence, Gate = state.Gate.Asked ?? applied.Gate } : input, now);
    }

    /// <summary>The resume file is one step behind.</summary>
    private sealed class OldMemory : Mutation
    {
        private readonly Dictionary<SimHost, Effect.SaveMemory> _waiting = [];

        public override string Name => "the resume file is one step behind the answers";

        public override void Save(SimHost host, Effect.SaveMemory save)
        {
            if (_waiting.TryGetValue(host, out var earlier))
            {
                base.Save(host, earlier);
            }

            _waiting[host] = save;
        }
    }

    /// <summary>A new run takes the gate of the run before for shut.</summary>
    private sealed class ShutInName : Mutation
    {
        public override string Name => "a restarted daemon takes its old gate for shut";

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now)
        {
            var isNew = state.Gate is { IsKnown: false, Asked: null } && state.Lease is { Held: null };
            return base.Step(isNew ? state with { Gate = state.Gate with { IsKnown = true, Now = Gate.Fenced, Asked = Gate.Fenced, NextLook = Instant.Forever } } : state, settings, input, now);
        }
    }

    /// <summary>Voters hold for D as if all clocks ran alike.</summary>
    private sealed class WithoutDrift : Mutation
    {
        public override string Name => "voters hold without regard to drift";

        public override Faults Needs => Faults.Drift | Faults.Pause;

        public override bool NeedsContest => true;

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) => base.Step(
            state,
            input is Input.VoteAsked ? settings with { Lease = settings.Lease with { DriftPpm = 0, Margin = TimeSpan.Zero } } : settings,
            input,
            now);
    }

    /// <summary>A voter that lost its disk takes any timeline for a good one.</summary>
    private sealed class LostTimeline : Mutation
    {
        public override string Name => "a voter whose disk was lost hears nobody first";

        public override Faults Needs => Faults.DiskLost | Faults.Reboot | Faults.ServerCrash;

        public override NodeStart Start(NodeStart start) => start with { IsTimelineTrusted = true };
    }

    /// <summary>A voter that lost its memory answers at once.</summary>
    private sealed class LostAbstention : Mutation
    {
        public override string Name => "a voter without memory does not abstain";

        public override NodeStep Step(NodeState state, NodeSettings settings, Input input, Instant now) =>
            base.Step(state.Voter is { } voter ? state with { Voter = voter with { AbstainUntil = Instant.Zero } } : state, settings, input, now);
    }
}
