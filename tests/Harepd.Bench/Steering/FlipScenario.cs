using System.Diagnostics;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Harepd.Lab.Machine;

namespace Harepd.Bench.Steering;

/// <summary>
/// From the moment at which a node may no longer, or may again, take writers until HAProxy has it so, for each way of telling: pulled by
/// <c>httpchk</c>, by <c>agent-check</c>, by both, and pushed. Beside it bare answers to the same checks, and the same commands by hand.
/// </summary>
internal sealed class FlipScenario : IScenario
{
    // Irrational, so that flips meet the checks at every phase alike, and the same ones in each run.
    private const double GoldenStep = 0.6180339887;
    private long _term;

    public string Name => "flip";

    public async Task<IReadOnlyList<Comparison>> RunAsync(SteeringLab lab, BenchOptions options)
    {
        await using var bare = await BareAnswers.StartAsync();
        var (own, flipOwn) = await OwnAnswers.StartAsync();
        await using var answers = own;
        await using var haproxy = await CheckedHaproxy.StartAsync(lab.Cluster.Lab, isOwn => isOwn ? (own.Http, own.Agent) : (bare.Http, bare.Agent));
        var comparisons = new List<Comparison>();
        foreach (var mode in new[] { PullMode.Httpchk, PullMode.AgentCheck, PullMode.Both })
        {
            comparisons.AddRange(Measure(haproxy, mode, options.Rounds, isUp => bare.IsUp = isUp, flipOwn));
        }

        using var lane = SteeringLane.Start($"unix:{haproxy.SocketPath}", CheckedHaproxy.Backend(PullMode.Push, isOwn: true), CheckedHaproxy.Server);
        comparisons.AddRange(Measure(haproxy, PullMode.Push, options.Rounds, isUp => PushByHand(haproxy, isUp), isUp => Push(lane, isUp)));
        return comparisons;
    }

    private static IEnumerable<Comparison> Measure(CheckedHaproxy haproxy, PullMode mode, int rounds, Action<bool> byHand, Action<bool> byHarepd)
    {
        var (hand, harepd) = (new FlipTimes(), new FlipTimes());
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var isOwn in new[] { false, true })
            {
                var (backend, flip, times) = (CheckedHaproxy.Backend(mode, isOwn), isOwn ? byHarepd : byHand, isOwn ? harepd : hand);
                var up = Flip(haproxy, backend, flip, isUp: true, round);
                var down = Flip(haproxy, backend, flip, isUp: false, round);

                // The first round finds every part cold.
                times.Add(round == 0 ? null : (up, down));
            }
        }

        SteeringLab.Tell($"{mode}: {rounds} rounds each");
        var what = mode switch
        {
            PullMode.Httpchk => $"httpchk inter {CheckedHaproxy.CheckInterval.TotalMilliseconds} ms",
            PullMode.AgentCheck => $"agent-check inter {CheckedHaproxy.AgentInterval.TotalMilliseconds} ms",
            PullMode.Both => "both",
            _ => "push",
        };
        return
        [
            new Comparison($"{what}: flip to DOWN, ms", Distribution.Of(hand.Downs), Distribution.Of(harepd.Downs)),
            new Comparison($"{what}: flip to UP, ms", Distribution.Of(hand.Ups), Distribution.Of(harepd.Ups)),
        ];
    }

    private static double Flip(CheckedHaproxy haproxy, string backend, Action<bool> flip, bool isUp, int round)
    {
        Thread.Sleep(CheckedHaproxy.AgentInterval * (round * GoldenStep % 1));
        var begun = Stopwatch.GetTimestamp();
        flip(isUp);
        return Stopwatch.GetElapsedTime(begun, haproxy.AwaitService(backend, isUp)).TotalMilliseconds;
    }

    private static void PushByHand(CheckedHaproxy haproxy, bool isUp) =>
        haproxy.Ask($"set server {CheckedHaproxy.Backend(PullMode.Push, isOwn: false)}/{CheckedHaproxy.Server} state {(isUp ? "ready" : "maint")}");

    private void Push(HaproxyLane lane, bool isUp)
    {
        if (isUp)
        {
            lane.Desire(new RouteDesire { Term = new Term(++_term), Kind = RouteKind.Write, ReadReady = false });
        }
        else if (lane.CutNow(BootClock.Now + TimeSpan.FromSeconds(2)) is { IsCut: false, Detail: var reason })
        {
            throw new LabException($"not cut: {reason}");
        }
    }

    /// <summary>What one side needed, in milliseconds.</summary>
    private sealed class FlipTimes
    {
        private readonly List<(double Up, double Down)> _rounds = [];

        public IEnumerable<double> Ups => _rounds.Select(round => round.Up);

        public IEnumerable<double> Downs => _rounds.Select(round => round.Down);

        public void Add((double Up, double Down)? round)
        {
            if (round is { } counted)
            {
                _rounds.Add(counted);
            }
        }
    }
}
