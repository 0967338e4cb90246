using Harepd.Config;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Hooks;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// The hooks as the loop sees them: decisions go in, programs are run beside it. The one that may veto a planned move has a lane of its own, so that it waits for
/// none of the others.
/// </summary>
internal sealed class HookRoom : IDisposable
{
    private readonly HookEvents _events;
    private readonly HookLane _news;
    private readonly HookLane _vetoes;
    private readonly Func<HooksConfig> _config;
    private readonly Func<Input, bool> _post;

    /// <param name="config">As it is now.</param>
    /// <param name="events">What is told.</param>
    /// <param name="post">The mailbox, for the answer to a question.</param>
    /// <param name="logs">For the room's logger.</param>
    public HookRoom(Func<HooksConfig> config, HookEvents events, Func<Input, bool> post, ILoggerFactory logs)
    {
        (_config, _events, _post) = (config, events, post);
        var log = logs.CreateLogger("Hooks");
        _news = new HookLane("hooks", PathOf, () => _config().Timeout, log);
        _vetoes = new HookLane("hook-veto", PathOf, () => _config().Timeout, log);
    }

    /// <summary>Calls the hooks of a decision; does not wait.</summary>
    public void Take(Decision decision)
    {
        foreach (var call in _events.Of(decision).Where(call => PathOf(call.Key) is not null))
        {
            _news.Enqueue(call);
        }
    }

    /// <summary>Asks the hook that may veto; does not wait. Whatever is no clear yes is a no.</summary>
    public void Consult(Effect.ConsultHook consult) => _vetoes.Enqueue(_events.Before(consult) with
    {
        Done = result => _post(new Input.OrderDone(
            consult.Sequence, result.ExitCode == 0, default, result.ExitCode == 0 ? "the hook agrees" : $"hooks.{HookEvents.BeforeSwitchover} refuses, {result.Describe()}")),
    });

    public void Dispose()
    {
        _news.Dispose();
        _vetoes.Dispose();
    }

    private string? PathOf(string key) => _config().Given.FirstOrDefault(hook => hook.Key == key).Path;
}
