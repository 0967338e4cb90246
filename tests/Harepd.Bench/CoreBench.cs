using System.Diagnostics;
using Harepd.Core;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Bench;

/// <summary>What a decision costs: medians of several runs, each beside a floor measured in the same run.</summary>
internal static class CoreBench
{
    private const int Runs = 7;
    private const int Turns = 200_000;
    private static readonly MemberId Member = new("10.0.0.1:10000");
    private static readonly Membership Membership = new("bench", 1, [Member, new("10.0.0.2:10000"), new("10.0.0.3:10000")]);
    private static readonly LeaseSettings Lease = new();

    public static void Run(TextWriter output)
    {
        output.WriteLine($"{"what",-42} {"per second",12} {"us each",9} {"x floor",8}");
        var floor = Median(Floor);
        Print(output, "floor: copy a small record", floor, floor);
        Print(output, "voter: one renewal accepted", Median(VoterRenewals), floor);
        Print(output, "node: one tick of a calm primary", Median(CalmTicks), floor);
    }

    private static void Print(TextWriter output, string what, double seconds, double floor) =>
        output.WriteLine($"{what,-42} {Turns / seconds,12:N0} {seconds / Turns * 1e6,9:F3} {seconds / floor,8:F1}");

    private static double Median(Action work)
    {
        work();
        var times = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            var watch = Stopwatch.StartNew();
            work();
            times.Add(watch.Elapsed.TotalSeconds);
        }

        times.Sort();
        return times[Runs / 2];
    }

    private static void Floor()
    {
        var state = new VoterState();
        for (var i = 0; i < Turns; i++)
        {
            state = state with { AbstainUntil = new Instant(i) };
        }

        GC.KeepAlive(state);
    }

    private static void VoterRenewals()
    {
        var timeline = new TimelinePoint(1, default);
        var state = new VoterState { Timeline = new DurableTimeline(new SystemId(1), timeline) };
        for (var i = 1; i <= Turns; i++)
        {
            var request = new LeaseRequest.Accept(
                Membership.Stamp, new Ballot(i, Member, new Incarnation(1)), Lease.Duration, timeline, new SystemId(1));
            var step = Voter.Handle(state, request, Member, Membership, Lease, new Instant(i * 1_000_000L));
            state = step.Reply is LeaseReply.Accepted ? step.State : throw new InvalidOperationException($"not accepted: {step.Reply}");
        }
    }

    private static void CalmTicks()
    {
        var settings = new NodeSettings { Self = Member, Membership = Membership, Lease = Lease };
        var start = new NodeStart { Incarnation = new Incarnation(1), UnixMillis = 1, GateOnDisk = Gate.Fenced };
        var state = NodeMachine.Create(settings, start, new Instant(1));
        var server = new ServerObservation { At = new Instant(1), Health = ServerHealth.Running, InRecovery = false };
        state = NodeMachine.Step(state, settings, new Input.Observed(server), new Instant(2)).State;
        for (var i = 0; i < Turns; i++)
        {
            state = NodeMachine.Step(state, settings, new Input.Tick(), new Instant(1_000 + i * 1_000L)).State;
        }
    }
}
