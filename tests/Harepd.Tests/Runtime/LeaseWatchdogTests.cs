using Harepd.Clock;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Runtime;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Runtime;

public sealed class LeaseWatchdogTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(5);

    [Fact]
    public void It_tries_until_a_fence_is_confirmed_and_tells_once()
    {
        var (tries, told) = (0, 0);
        using var watchdog = new LeaseWatchdog((_, _) => Interlocked.Increment(ref tries) == 3, _ => Interlocked.Increment(ref told), Patience);

        watchdog.Arm(Due(7));
        Eventually.True(() => watchdog.FenceAt == Instant.Zero, "the third try is confirmed and disarms");

        Assert.Equal((3, 1), (Volatile.Read(ref tries), Volatile.Read(ref told)));
    }

    [Fact]
    public void A_fence_that_throws_is_one_that_was_not_confirmed()
    {
        var tries = 0;
        using var watchdog = new LeaseWatchdog(
            (_, _) => Interlocked.Increment(ref tries) > 1 ? true : throw new IOException("the disk is gone"), _ => { }, Patience);

        watchdog.Arm(Due(7));

        Eventually.True(() => watchdog.FenceAt == Instant.Zero, "the second try is confirmed and disarms");
    }

    [Fact]
    public void Nothing_may_open_while_it_tries_and_disarming_ends_the_trying()
    {
        var tries = 0;
        using var watchdog = new LeaseWatchdog(
            (_, _) =>
            {
                Interlocked.Increment(ref tries);
                return false;
            },
            _ => { },
            Patience);

        watchdog.Arm(Due(7));
        Eventually.True(() => Volatile.Read(ref tries) > 1, "it tries again");
        Assert.True(watchdog.FenceAt <= BootClock.Now);

        watchdog.Arm(new Effect.ArmWatchdog(new Term(7), Instant.Zero, Instant.Zero));
        Eventually.True(() => !watchdog.IsFencing, "the try under way ends");
        var seen = Volatile.Read(ref tries);
        Thread.Sleep(300);

        // One that had read its order just before is the last.
        Assert.InRange(Volatile.Read(ref tries), seen, seen + 1);
        Assert.Equal(Instant.Zero, watchdog.FenceAt);
    }

    [Fact]
    public void A_late_fence_leaves_the_newer_lease_armed_and_fences_it_only_when_it_is_due()
    {
        var terms = new List<Term>();
        using var begun = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        using var watchdog = new LeaseWatchdog(
            (term, _) =>
            {
                terms.Add(term);
                begun.Set();
                return mayEnd.Wait(TimeSpan.FromSeconds(30));
            },
            _ => { },
            Patience);
        watchdog.Arm(Due(7));
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));

        var newer = new Effect.ArmWatchdog(new Term(8), BootClock.Now + TimeSpan.FromHours(1), BootClock.Now + TimeSpan.FromHours(2));
        watchdog.Arm(newer);
        Assert.True(watchdog.IsFencing);
        mayEnd.Set();
        Eventually.True(() => !watchdog.IsFencing, "the late fence ends");

        Assert.Equal(newer.FenceAt, watchdog.FenceAt);
        Assert.Equal([new Term(7)], terms);
    }

    /// <summary>What cut sessions after a thaw: the lease was won again and opened while the watchdog still fenced for the old one.</summary>
    [Fact]
    public void An_opening_waits_for_a_late_fence_to_end()
    {
        var isFencing = true;
        var door = new CountingDoor();
        using var lane = new GateLane(
            () => door,
            () => Instant.Forever,
            () => Volatile.Read(ref isFencing),
            _ => true,
            () => { });

        lane.Enqueue(new Effect.OpenGate(1, Gate.ReadWrite, new Term(8), BootClock.Now + TimeSpan.FromMinutes(5)));
        Thread.Sleep(50);
        Assert.Equal(0, door.Sets);

        Volatile.Write(ref isFencing, false);
        Eventually.True(() => door.Sets == 1, "the opening goes on");
    }

    [Fact]
    public void An_opening_does_not_wait_longer_than_its_lease()
    {
        var door = new CountingDoor();
        Input? answer = null;
        using var lane = new GateLane(
            () => door,
            () => Instant.Forever,
            () => true,
            input =>
            {
                Volatile.Write(ref answer, input);
                return true;
            },
            () => { });

        lane.Enqueue(new Effect.OpenGate(1, Gate.ReadWrite, new Term(8), BootClock.Now + TimeSpan.FromMilliseconds(100)));
        Eventually.True(() => Volatile.Read(ref answer) is not null, "the lane answers");

        Assert.False(Assert.IsType<Input.GateApplied>(answer).IsConfirmed);
        Assert.Equal(0, door.Sets);
    }

    [Fact]
    public void A_close_does_not_wait_for_an_opening_that_waits_for_a_fence()
    {
        var door = new CountingDoor();
        using var lane = new GateLane(() => door, () => Instant.Forever, () => true, _ => true, () => { });
        lane.Enqueue(new Effect.OpenGate(1, Gate.ReadWrite, new Term(8), BootClock.Now + TimeSpan.FromMinutes(5)));
        Thread.Sleep(50);

        lane.Enqueue(new Effect.CloseGate(2, Gate.Fenced, new Term(8), BootClock.Now + TimeSpan.FromSeconds(1), MayStop: false, "the test says so"));

        Eventually.True(() => door.Fences == 1, "the gate is shut");
        Assert.Equal(0, door.Sets);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_a_fence_that_comes_after_the_guards_own_may_take_its_time(bool hasShut)
    {
        var soon = BootClock.Now + TimeSpan.FromMilliseconds(50);

        Assert.Equal(hasShut, UnhurriedDoor.Deadline(soon, hasShut) > soon);
    }

    private static Effect.ArmWatchdog Due(long term) => new(new Term(term), BootClock.Now, BootClock.Now + TimeSpan.FromMilliseconds(300));

    private sealed class CountingDoor : IGateDoor
    {
        private int _sets;
        private int _fences;

        public int Sets => Volatile.Read(ref _sets);

        public int Fences => Volatile.Read(ref _fences);

        public GateOutcome Set(Gate to, Term term, Instant notAfter)
        {
            Interlocked.Increment(ref _sets);
            return new GateOutcome(to, IsConfirmed: true, "");
        }

        public GateOutcome Open(Gate to, Term term, Instant notAfter) => Set(to, term, notAfter);

        public void Flush()
        {
        }

        public GateOutcome Fence(Term term, Instant finishBy, bool mayStop, string reason, bool beginsStop = false)
        {
            Interlocked.Increment(ref _fences);
            return new GateOutcome(Gate.Fenced, IsConfirmed: true, "");
        }
    }
}
