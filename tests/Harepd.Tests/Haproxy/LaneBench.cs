using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Haproxy;

/// <summary>A lane for server <c>a</c> (unless told otherwise) together with what it reported.</summary>
internal sealed class LaneBench : IDisposable
{
    private readonly List<RouteApplied> _applied = [];

    public LaneBench(string endpoint, string server = "a", int commandTimeoutMs = 2_000, int reconcileMs = 50, Func<Instant>? lease = null)
    {
        Assert.True(HaproxyEndpoint.TryParse(endpoint, out var parsed, out var reason), reason);
        Lane = new HaproxyLane(parsed!, new HaproxyTarget("wr", "rd", server), TimeSpan.FromMilliseconds(commandTimeoutMs),
            TimeSpan.FromMilliseconds(reconcileMs), lease ?? (() => Instant.Forever), Note, NullLogger.Instance);
        Lane.Start();
    }

    public HaproxyLane Lane { get; }

    public IReadOnlyList<RouteApplied> Applied
    {
        get
        {
            lock (_applied)
            {
                return [.. _applied];
            }
        }
    }

    /// <summary>A lane for server <c>a</c> whose reports nobody reads.</summary>
    public static HaproxyLane Lanes(string endpoint)
    {
        Assert.True(HaproxyEndpoint.TryParse(endpoint, out var parsed, out var reason), reason);
        return new HaproxyLane(parsed!, new HaproxyTarget("wr", "rd", "a"), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(50),
            () => Instant.Forever, _ => { }, NullLogger.Instance);
    }

    public static RouteDesire Write(long term, bool readReady = false, Instant? notAfter = null) =>
        new() { Term = new Term(term), Kind = RouteKind.Write, ReadReady = readReady, NotAfter = notAfter };

    public static RouteDesire Cut(long term, bool readReady = false) =>
        new() { Term = new Term(term), Kind = RouteKind.Cut, ReadReady = readReady };

    public static Instant In(double seconds) => BootClock.Now + TimeSpan.FromSeconds(seconds);

    /// <summary>Gives a desire and waits until HAProxy has it.</summary>
    public RouteApplied Do(RouteDesire desire)
    {
        Lane.Desire(desire);
        return Await(a => a.Desire == desire && a.Ok);
    }

    public RouteApplied Await(Func<RouteApplied, bool> which)
    {
        RouteApplied? found = null;
        TestNet.Eventually(() => (found = Applied.FirstOrDefault(which)) is not null, () => "an outcome; so far: " + string.Join(" | ", Applied.Select(a => a.Detail)));
        return found!;
    }

    public void Dispose() => Lane.Dispose();

    private void Note(RouteApplied applied)
    {
        lock (_applied)
        {
            _applied.Add(applied);
        }
    }
}
