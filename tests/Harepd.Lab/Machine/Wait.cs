namespace Harepd.Lab.Machine;

/// <summary>Bounded waits for a condition; the lab never sleeps in the hope that something has happened meanwhile.</summary>
public static class Wait
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Polls until the condition holds.</summary>
    /// <param name="what">Completes the sentence "waited for …"; told when the wait runs out.</param>
    /// <param name="detail">Asked once when the wait runs out: what the world looked like then.</param>
    /// <exception cref="LabException">The limit passed first.</exception>
    public static async Task UntilAsync(
        Func<Task<bool>> condition,
        string what,
        TimeSpan? limit = null,
        TimeSpan? poll = null,
        Func<string>? detail = null,
        CancellationToken cancel = default)
    {
        var deadline = LabClock.Now + (limit ?? Long);
        while (!await condition())
        {
            if (LabClock.Now >= deadline)
            {
                throw new LabException($"waited {(limit ?? Long).TotalSeconds:0.#} s for {what}{(detail is null ? "" : $"\n{detail()}")}");
            }

            await Task.Delay(poll ?? TimeSpan.FromMilliseconds(20), cancel);
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}}, string, TimeSpan?, TimeSpan?, Func{string}?, CancellationToken)"/>
    public static Task UntilAsync(
        Func<bool> condition,
        string what,
        TimeSpan? limit = null,
        TimeSpan? poll = null,
        Func<string>? detail = null,
        CancellationToken cancel = default) =>
        UntilAsync(() => Task.FromResult(condition()), what, limit, poll, detail, cancel);
}
