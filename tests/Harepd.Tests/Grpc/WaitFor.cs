using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>Waits for a condition, with a bound that ends a broken test and measures nothing.</summary>
internal static class WaitFor
{
    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Calls.Patience);
        while (!await condition())
        {
            Assert.False(patience.IsCancellationRequested, "the condition did not come true in time");
            await Task.Delay(10);
        }
    }

    public static Task TrueAsync(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));
}
