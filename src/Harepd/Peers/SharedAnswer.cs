using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Peers;

/// <summary>
/// One answer for everybody who asks within a moment, and one question under way at a time: hundreds of inquiries cost whoever knows one.
/// A failure is shared just so. The question has a deadline of its own, so that an impatient asker does not spoil it for the others.
/// </summary>
/// <param name="ask">Finds the answer; its token is cancelled at the deadline.</param>
/// <param name="keepFor">How long an answer serves, counted from its coming.</param>
/// <param name="deadline">The longest a question may take.</param>
internal sealed class SharedAnswer<T>(Func<CancellationToken, ValueTask<T>> ask, TimeSpan keepFor, TimeSpan deadline)
{
    private readonly Lock _lock = new();
    private Task<T>? _answer;
    private Instant _keepUntil = Instant.Forever;

    /// <summary>The shared answer, or its failure; or the caller's own impatience.</summary>
    public Task<T> GetAsync(CancellationToken token)
    {
        lock (_lock)
        {
            if (_answer is null || (_answer.IsCompleted && BootClock.Now >= _keepUntil))
            {
                _keepUntil = Instant.Forever;
                _answer = Task.Run(AskAsync, CancellationToken.None);
            }

            return _answer.WaitAsync(token);
        }
    }

    private async Task<T> AskAsync()
    {
        using var patience = new CancellationTokenSource(deadline);
        try
        {
            return await ask(patience.Token).AsTask().WaitAsync(patience.Token);
        }
        finally
        {
            lock (_lock)
            {
                _keepUntil = BootClock.Now + keepFor;
            }
        }
    }
}
