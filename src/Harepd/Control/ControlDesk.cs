using System.Collections.Concurrent;
using System.Threading.Channels;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Control;

/// <summary>Joins the orders that come in with what the loop tells about them, by number. Thread-safe; never waits.</summary>
/// <param name="post">Puts an input before the loop; false where it has no room.</param>
internal sealed class ControlDesk(Func<Input, bool> post)
{
    private readonly ConcurrentDictionary<long, ChannelWriter<ControlAnswer>> _waiting = new();
    private long _last;

    /// <summary>Takes an order; null, or why it is none.</summary>
    public string? Take(ControlRequest request, ChannelWriter<ControlAnswer> answers)
    {
        switch (request.Verb)
        {
            case "switchover" or "restart":
                return Move(request, answers);
            case "failover":
                return Await(number => new Input.TakeoverOrdered(new TakeoverOrder(number, request.AcceptsLoss, request.DryRun)), answers);
            case "rejoin":
                return Ask(
                    new Input.RejoinOrdered(),
                    "an old primary that stands beside another holder is made its standby; harepd status shows it, the log tells each step",
                    answers);
            case "cancel":
                return Ask(new Input.MoveCancelled("cancelled by an operator"), "a move that has not stopped the server yet is taken back; one that has takes its course", answers);
            case "pause" when request.PauseMs is >= 1000 and < double.MaxValue && TimeSpan.FromMilliseconds(request.PauseMs) <= FailoverPause.Longest:
                return Ask(
                    new Input.PauseOrdered(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), TimeSpan.FromMilliseconds(request.PauseMs)),
                    "no member takes over by itself until then; leases, gates and planned moves go on as ever",
                    answers);
            case "maintenance":
                return Local(request, LocalOrderKind.Maintain, answers);
            case "end-maintenance":
                return Local(request, LocalOrderKind.EndMaintenance, answers);
            case "fence":
                return Local(request, LocalOrderKind.Fence, answers);
            case "stop" when Within(request.TimeoutMs, MoveOrder.LongestPause):
                return Local(request, LocalOrderKind.Stop, answers);
            case "start" when Within(request.TimeoutMs, LocalOrder.LongestStart):
                return Local(request, LocalOrderKind.Start, answers);
            case "unfence":
                return Local(request, LocalOrderKind.Unfence, answers);
            case "resume":
                return Ask(new Input.PauseOrdered(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), TimeSpan.Zero), "members take over by themselves again", answers);
            default:
                return "this is no order of this version of harepd";
        }
    }

    /// <summary>Hands on what is told; of an order that nobody waits for any more it is dropped.</summary>
    public void Tell(MoveEvent told)
    {
        if (!_waiting.TryGetValue(told.OrderId, out var answers))
        {
            return;
        }

        var word = told.Kind switch
        {
            MoveEventKind.Checked => "check",
            MoveEventKind.Problem => "problem",
            MoveEventKind.StepBegan => "begin",
            MoveEventKind.StepDone => "done",
            MoveEventKind.StepFailed => "failed",
            _ => "ended",
        };
        answers.TryWrite(new ControlAnswer(word, told.Subject, told.Took.TotalMilliseconds, told.Pause.TotalMilliseconds, told.Detail));
        if (told.Kind == MoveEventKind.Ended)
        {
            answers.TryComplete();
            _waiting.TryRemove(told.OrderId, out _);
        }
    }

    private string? Ask(Input input, string what, ChannelWriter<ControlAnswer> answers)
    {
        if (!post(input))
        {
            return "the daemon has no room for an order now";
        }

        answers.TryWrite(new ControlAnswer("ended", "Asked", Detail: what));
        answers.TryComplete();
        return null;
    }

    private string? Move(ControlRequest request, ChannelWriter<ControlAnswer> answers)
    {
        var pause = TimeSpan.FromMilliseconds(request.PauseMs > 0 ? Math.Min(request.PauseMs, MoveOrder.LongestPause.TotalMilliseconds) : MoveOrder.DefaultPause.TotalMilliseconds);
        if (pause < TimeSpan.FromSeconds(1))
        {
            return "clients must be allowed to wait for a second at least";
        }

        var after = TimeSpan.FromMilliseconds(Math.Clamp(request.AfterMs, 0, MoveOrder.LongestDelay.TotalMilliseconds));
        return Await(number => new Input.MoveOrdered(new MoveOrder(number, request.To, pause, request.DryRun) { After = after, IsRestart = request.Verb == "restart" }), answers);
    }

    private string? Local(ControlRequest request, LocalOrderKind kind, ChannelWriter<ControlAnswer> answers)
    {
        var span = TimeSpan.FromMilliseconds(Math.Clamp(request.PauseMs, 0, LocalOrder.Longest.TotalMilliseconds));
        var timeout = request.TimeoutMs > 0 ? TimeSpan.FromMilliseconds(request.TimeoutMs) : MoveOrder.DefaultPause;
        return Await(number => new Input.LocalOrdered(new LocalOrder(number, kind, request.DryRun) { For = span, AcceptsOutage = request.AcceptsOutage, Timeout = timeout }), answers);
    }

    private static bool Within(double milliseconds, TimeSpan longest) => milliseconds >= 1000 && milliseconds <= longest.TotalMilliseconds;

    private string? Await(Func<long, Input> order, ChannelWriter<ControlAnswer> answers)
    {
        var number = Interlocked.Increment(ref _last);
        _waiting[number] = answers;
        if (post(order(number)))
        {
            return null;
        }

        _waiting.TryRemove(number, out _);
        return "the daemon has no room for an order now";
    }
}
