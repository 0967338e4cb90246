using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>The parts that speak to one HAProxy, put together: what the lane's thread, a fence on another thread and a status view use alike.</summary>
internal sealed class HaproxyDoor : IDisposable
{
    private readonly HaproxyTarget _target;
    private readonly TimeSpan _commandTimeout;
    private readonly RuntimeClient _client;
    private readonly RuntimeDialogue _dialogue;
    private readonly OldWorkers? _oldWorkers;
    private readonly CutPass _cut;
    private readonly HoldPass _hold;

    public HaproxyDoor(HaproxyEndpoint endpoint, HaproxyTarget target, TimeSpan commandTimeout)
    {
        _target = target;
        _commandTimeout = commandTimeout;
        _client = endpoint.Runtime is { } runtime ? new RuntimeClient(runtime) : new RuntimeClient(endpoint.Master!, isMaster: true, "@1 ");
        _dialogue = new RuntimeDialogue(_client, target);
        _oldWorkers = endpoint.Master is { } master ? new OldWorkers(new RuntimeClient(master, isMaster: true)) : null;
        _cut = new CutPass(target, _dialogue, commandTimeout);
        _hold = new HoldPass(target, _dialogue, endpoint.Hold is { } hold ? new HoldKeeper(hold) : null, commandTimeout);
    }

    public OpeningGuard Guard { get; } = new();

    internal RoutePass NewPass(Func<Instant> leaseDeadline) =>
        new(_target, _cut, new WritePass(_target, _dialogue, _cut, Guard, _commandTimeout), _hold, _dialogue, _oldWorkers, _commandTimeout, leaseDeadline);

    /// <summary>The cut of a fence. An opening that was in flight may have landed after it, so then it is done again.</summary>
    internal CutResult CutNow(Instant deadline)
    {
        var wasOpening = Guard.IsOpening;
        var outcome = CutOwn(deadline);
        if (wasOpening)
        {
            if (!Guard.WaitNoOpening(deadline))
            {
                return new CutResult(false, $"{outcome.Detail}, but an opening is still on its way");
            }

            outcome = CutOwn(deadline);
        }

        return new CutResult(outcome.Ok, outcome.Detail);
    }

    /// <summary>Reads the state for people; waits for a host name to be resolved.</summary>
    internal HaproxyReading ReadState()
    {
        var deadline = BootClock.Now + _commandTimeout;
        _client.WaitKnown(deadline);
        return _dialogue.Do([], deadline);
    }

    /// <summary>Whether a hold would work, for people; empty, or why not. Nobody is held.</summary>
    internal string TryHold() => _hold.Try();

    /// <summary>Ends a hold that stands. Once no pass runs any more.</summary>
    public void Dispose() => _hold.Dispose();

    private RouteOutcome CutOwn(Instant deadline) =>
        _cut.Run([.. RouteCommands.CutOwn(_target)], alsoReads: true, deadline, () => false);
}
