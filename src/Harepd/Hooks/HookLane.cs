using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Harepd.Hooks;

/// <summary>Runs hooks one after the other on a thread of its own. Whoever calls never waits; beyond a bound calls are dropped, and that is said.</summary>
internal sealed class HookLane : IDisposable
{
    private const int MostWaiting = 32;

    /// <summary>At the daemon's end, for what is queued; then the rest is dropped and a running one killed.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private readonly BlockingCollection<HookCall> _queue = new(MostWaiting);
    private readonly Func<string, string?> _pathOf;
    private readonly Func<TimeSpan> _timeout;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private volatile bool _isEnding;

    /// <param name="name">Of its thread.</param>
    /// <param name="pathOf">The program of a key, as configured now; null for none.</param>
    /// <param name="timeout">How long one may run, as configured now.</param>
    /// <param name="log">Told of each run, its output included.</param>
    public HookLane(string name, Func<string, string?> pathOf, Func<TimeSpan> timeout, ILogger log)
    {
        (_pathOf, _timeout, _log) = (pathOf, timeout, log);
        _thread = new Thread(Run) { Name = name, IsBackground = true, Priority = ThreadPriority.BelowNormal };
        _thread.Start();
    }

    /// <summary>Takes a call; does not wait. One that is dropped is answered as such.</summary>
    public void Enqueue(HookCall call)
    {
        try
        {
            if (_queue.TryAdd(call))
            {
                return;
            }
        }
        catch (InvalidOperationException)
        {
            // The daemon ends.
        }

        _log.LogWarning(new EventId(9043, "HookDropped"), "hook {Hook} is not run for {Event}: too many wait, or the daemon ends", call.Key, call.Event);
        call.Done?.Invoke(new HookResult(null, "", "too many hooks wait, or the daemon ends", TimeSpan.Zero));
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        if (!_thread.Join(LastWords))
        {
            _isEnding = true;
            _thread.Join(LastWords);
        }
    }

    private void Run()
    {
        foreach (var call in _queue.GetConsumingEnumerable())
        {
            var result = Perform(call);
            call.Done?.Invoke(result);
        }
    }

    private HookResult Perform(HookCall call)
    {
        if (_pathOf(call.Key) is not { } path || _isEnding)
        {
            // Taken out of the configuration meanwhile: nobody says no.
            return new HookResult(_isEnding ? null : 0, "", _isEnding ? "the daemon ends" : "", TimeSpan.Zero);
        }

        var result = HookProgram.Run(path, call.Event, call.Environment, _timeout(), () => _isEnding);
        if (result.ExitCode == 0)
        {
            _log.LogInformation(
                new EventId(9041, "HookDone"), "hook {Hook} for {Event}, {Took:F0} ms: {Result}", call.Key, call.Event, result.Took.TotalMilliseconds, result.Describe());
        }
        else
        {
            _log.LogWarning(
                new EventId(9042, "HookFailed"), "hook {Hook} for {Event}, {Took:F0} ms: {Result}", call.Key, call.Event, result.Took.TotalMilliseconds, result.Describe());
        }

        return result;
    }
}
